"""A worker's report and its creator's change at the same moment."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
from sqlalchemy import select

from chassis.database.engine import Database
from posts.creators.models import Creator
from posts.posts.models import PostRendering

Headers = dict[str, str]


async def test_report_meets_change(
    committed_client: httpx.AsyncClient,
    committed_database: Database,
    create_profile: Callable[..., Awaitable[Creator]],
    login: Callable[[UUID], Headers],
    worker: Headers,
) -> None:
    """Neither fails, whoever is first; the HTML of an older version is never shown under a newer."""
    owner = login((await create_profile(committed_database)).id)
    article = {"title": "Quiet", "body": "0"}
    post_id = (await committed_client.post("/posts", json=article, headers=owner)).json()["id"]
    for number in range(1, 9):
        async with committed_database.transaction() as session:
            statement = select(PostRendering).order_by(PostRendering.version.desc())
            rendering = (await session.scalars(statement)).first()
        assert rendering is not None
        base = f"/internal/renderings/{rendering.id}"
        markdown = (await committed_client.post(f"{base}/claim", headers=worker)).json()["markdown"]
        report = {"fence": 1, "html": f"<p>{markdown}</p>", "excerpt": markdown}
        responses = await asyncio.gather(
            committed_client.post(f"{base}/result", json=report, headers=worker),
            committed_client.put(f"/posts/{post_id}", json=article | {"body": str(number)}, headers=owner),
            committed_client.put(f"/posts/{post_id}/publication", headers=owner),
        )

        assert responses[0].status_code == 204
        assert responses[1].status_code == 200
        assert responses[2].status_code in {200, 202}
        html = (await committed_client.get(f"/posts/{post_id}", headers=owner)).json()["html"]
        assert html in {None, *(f"<p>{older}</p>" for older in range(number))}

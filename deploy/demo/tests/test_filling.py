from deploy.demo.articles import Article
from deploy.demo.filling import choose_authors, choose_place

ARTICLES = [Article(key, f"{key}: title", "body") for key in ("celery", "httpx", "rich")]


class TestChooseAuthors:
    def test_nothing_published(self) -> None:
        assert choose_authors([set(), set()], ARTICLES) == [choose_place(article.key, 2) for article in ARTICLES]

    def test_published_already(self) -> None:
        for place in range(3):
            titles: list[set[str]] = [set(), set(), set()]
            titles[place] = {"httpx: title"}
            assert choose_authors(titles, ARTICLES)[1] == place

    def test_another_package_changes_nobody_else(self) -> None:
        first = choose_authors([set()] * 36, ARTICLES)
        assert choose_authors([set()] * 36, [Article("black", "", ""), *ARTICLES])[1:] == first


class TestChoosePlace:
    def test_valid(self) -> None:
        places = {choose_place(f"package-{number}", 36) for number in range(1000)}
        assert places == set(range(36))

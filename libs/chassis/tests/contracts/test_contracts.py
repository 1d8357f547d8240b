"""The contracts are history: what was sent once must stay readable. A change shows up as a diff of `schemas.json`."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import AwareDatetime, ValidationError

from chassis.contracts.base import EVENT_TYPES, Event, EventEnvelope
from chassis.contracts.catalog import CATALOG, get_event_type
from chassis.contracts.posts import PostPublished
from chassis.testing.events import create_envelope

SNAPSHOT = Path(__file__).with_name("schemas.json")
EXAMPLES: dict[object, object] = {
    uuid.UUID: uuid.uuid4(),
    int: 3,
    AwareDatetime: datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    dict[str, str]: {"device": "Firefox"},
}


def build_schemas() -> str:
    schemas = {f"{event.type}/{event.version}": event.model_json_schema() for event in CATALOG}
    schemas["envelope"] = EventEnvelope.model_json_schema()
    return json.dumps(schemas, indent=2, sort_keys=True) + "\n"


class TestCatalog:
    def test_schemas_are_those_that_were_agreed(self) -> None:
        assert build_schemas() == SNAPSHOT.read_text(), f"write build_schemas() to {SNAPSHOT.name} if this is meant"

    def test_every_declared_event_is_in_it(self) -> None:
        declared = {event for event in EVENT_TYPES.values() if event.__module__.startswith("chassis.")}
        assert declared == set(CATALOG)

    @pytest.mark.parametrize("event_type", CATALOG)
    def test_payload_survives_the_way(self, event_type: type[Event]) -> None:
        event = event_type.model_validate(
            {name: EXAMPLES.get(field.annotation, "text") for name, field in event_type.model_fields.items()}
        )
        assert event_type.model_validate_json(event.model_dump_json()) == event


class TestGetEventType:
    def test_valid(self) -> None:
        assert get_event_type("post.published", 1) is PostPublished

    @pytest.mark.parametrize(("name", "version"), [("post.exploded", 1), ("post.published", 2)])
    def test_not_found(self, name: str, version: int) -> None:
        assert get_event_type(name, version) is None


class TestEvent:
    @pytest.mark.parametrize("name", ["Post.published", "post", "post.published.twice", "post published", ""])
    def test_name_must_read_noun_past_tense(self, name: str) -> None:
        with pytest.raises(TypeError, match=r"noun\.past_tense"):
            type("Misnamed", (Event,), {"type": name, "__annotations__": {"type": ClassVar[str]}})

    def test_conflict(self) -> None:
        with pytest.raises(TypeError, match="declared twice"):

            class Other(Event):
                type: ClassVar[str] = "post.published"

    def test_a_field_that_is_new_to_the_reader_is_let_pass(self) -> None:
        event = PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title="t", excerpt="e")
        later = event.model_dump(mode="json") | {"language": "en"}
        assert PostPublished.model_validate(later) == event

    def test_is_frozen(self) -> None:
        event = PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title="t", excerpt="e")
        with pytest.raises(ValidationError):
            event.title = "other"  # type: ignore[misc]


class TestEventEnvelope:
    def test_carries_type_and_version_beside_the_payload(self) -> None:
        event = PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title="t", excerpt="e")
        envelope = create_envelope(event)
        assert (envelope.type, envelope.version) == ("post.published", 1)
        assert "type" not in envelope.payload

    @pytest.mark.parametrize("field", ["type", "traceparent", "cursor"])
    def test_text_without_end(self, field: str) -> None:
        event = PostPublished(post_id=uuid.uuid4(), creator_id=uuid.uuid4(), title="t", excerpt="e")
        values = create_envelope(event).model_dump(mode="json") | {field: "x" * 101}
        with pytest.raises(ValidationError, match="string_too_long"):
            EventEnvelope.model_validate(values)

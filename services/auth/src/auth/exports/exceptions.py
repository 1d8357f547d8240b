"""What can be wrong with an export.

NotFoundError (404)
└── ExportNotFoundError
ConflictError (409)
├── ExportPendingError
└── ExportIncompleteError
"""

from chassis.database.errors import register_conflict
from chassis.problems import ConflictError, NotFoundError


class ExportNotFoundError(NotFoundError):
    """Also for one that is not ready, has expired, or is somebody else's."""

    code = "export_not_found"
    title = "There is no such archive"


class ExportPendingError(ConflictError):
    code = "export_pending"
    title = "Another export of yours is under way"


class ExportIncompleteError(ConflictError):
    """The parts that arrived are not those that the report tells of."""

    code = "export_incomplete"
    title = "The archive has not arrived as a whole"


register_conflict("export_open_idx", ExportPendingError)

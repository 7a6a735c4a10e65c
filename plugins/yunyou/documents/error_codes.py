"""Every error of reading a solution and deciding its parameters, with its reason and remedy (guide 2.8.6)."""

from __future__ import annotations

from app.errors import ErrorCode
from app.words import Text, _


def yunyou_error(reason: str, status: int, why: Text, remedy: Text) -> ErrorCode:
    """An error of Yunyou."""
    return ErrorCode(f"YUNYOU/{reason}", status, why, remedy)


SOLUTION_TOO_LARGE = yunyou_error(
    "SOLUTION_TOO_LARGE",
    413,
    _("The file has {size} MB; at most {limit} MB are taken."),
    _("Split the solution by product, then import the parts."),
)
SOLUTION_UNREADABLE = yunyou_error(
    "SOLUTION_UNREADABLE",
    422,
    _("The file cannot be read: {detail}"),
    _("Export the solution again, or correct the file at the place named, and import it anew."),
)
SOLUTION_INVALID = yunyou_error(
    "SOLUTION_INVALID",
    422,
    _("The solution has {count} problem(s), and is refused as a whole."),
    _("Correct every place that is listed, then import it again."),
)
PARAMETERS_NOT_READY = yunyou_error(
    "PARAMETERS_NOT_READY",
    409,
    _("Parameters are not ready to be confirmed: {names}"),
    _("Fill in what is missing, resolve the conflicts, correct the errors and render again."),
)
PARAMETER_UNKNOWN = yunyou_error(
    "PARAMETER_UNKNOWN",
    404,
    _("There is no parameter {name} in this plan."),
    _("Reload the page; the solution may have been imported anew."),
)
PARAMETER_VALUE = yunyou_error(
    "PARAMETER_VALUE_REFUSED",
    422,
    _("The value of {name} cannot be taken: {detail}"),
    _("Enter a value of the parameter's type."),
)
PARAMETER_UNRESOLVED = yunyou_error(
    "PARAMETER_UNRESOLVED",
    409,
    _("{name} needs {reference}, which the environment doesn't give yet."),
    _("See whether the step that makes this resource has succeeded, then retry."),
)
ERRORS = (
    SOLUTION_TOO_LARGE,
    SOLUTION_UNREADABLE,
    SOLUTION_INVALID,
    PARAMETERS_NOT_READY,
    PARAMETER_UNKNOWN,
    PARAMETER_VALUE,
    PARAMETER_UNRESOLVED,
)

"""Failures of IAM's services."""

from app.errors import ErrorCode
from app.words import _

ASK = _("Ask somebody who holds more, such as a platform administrator.")
TAKEN = ErrorCode(
    "IAM/NAME_TAKEN",
    409,
    _("{what} {name} exists already."),
    _("Choose another name."),
)
ABOVE_YOU = ErrorCode(
    "IAM/ROLE_ABOVE_YOURS",
    403,
    _("The role {role} is above what you may hand out."),
    ASK,
)
PERSON_ABOVE_YOU = ErrorCode(
    "IAM/PERSON_ABOVE_YOU",
    403,
    _("{name} holds roles that you may not hand out, so you may not do this to them."),
    ASK,
)
ELSEWHERE_TOO = ErrorCode(
    "IAM/MEMBER_OF_OTHER_TENANTS",
    409,
    _("{name} belongs to other tenants too."),
    _("Remove them from this tenant only, or ask a platform administrator."),
)
OF_ANOTHER_TENANT = ErrorCode(
    "IAM/MEMBER_OF_ANOTHER_TENANT",
    403,
    _("{name} belongs to another tenant."),
    _("Leave the row out, or ask a platform administrator to import it."),
)
STILL_ADMINISTRATOR = ErrorCode(
    "IAM/STILL_ADMINISTRATOR",
    409,
    _("{name} is an administrator of this tenant."),
    _("Revoke that role first."),
)
YOURSELF = ErrorCode(
    "IAM/NOT_TO_YOURSELF",
    409,
    _("You cannot do this to yourself."),
    _("Ask another administrator."),
)
NOT_OF_TENANT = ErrorCode(
    "IAM/NOT_OF_THIS_TENANT",
    409,
    _("{name} does not belong to this tenant."),
    _("Add them to the tenant first."),
)
ROLE_IN_USE = ErrorCode(
    "IAM/ROLE_IN_USE",
    409,
    _("The role {role} is held {count} times."),
    _("Revoke it there first."),
)
TWO_KEYS = ErrorCode(
    "IAM/TWO_KEYS_ALREADY",
    409,
    _("There are two AccessKeys already."),
    _("Delete one that is no longer used, then make the new one."),
)
STILL_ENABLED = ErrorCode(
    "IAM/KEY_STILL_ENABLED",
    409,
    _("The AccessKey {key} is enabled."),
    _("Disable it first, so that whoever still uses it is noticed."),
)
NOT_EMPTY = ErrorCode(
    "IAM/NOT_EMPTY",
    409,
    _("{name} still holds something: {what}."),
    _("Move or delete that first."),
)
ALL = (
    TAKEN,
    ABOVE_YOU,
    PERSON_ABOVE_YOU,
    ELSEWHERE_TOO,
    OF_ANOTHER_TENANT,
    STILL_ADMINISTRATOR,
    YOURSELF,
    NOT_OF_TENANT,
    ROLE_IN_USE,
    TWO_KEYS,
    STILL_ENABLED,
    NOT_EMPTY,
)

"""Failures of IAM's services."""

from app.contracts.text import Text
from app.errors import ErrorCode

ASK = Text("Ask somebody who holds more, such as a platform administrator.", "请联系权限更高的管理员，如平台管理员。")
TAKEN = ErrorCode(
    "IAM/NAME_TAKEN",
    409,
    Text("{what} {name} exists already.", "{what} {name} 已存在。"),
    Text("Choose another name.", "请换一个名称。"),
)
ABOVE_YOU = ErrorCode(
    "IAM/ROLE_ABOVE_YOURS",
    403,
    Text("The role {role} is above what you may hand out.", "角色 {role} 超出您可授予的范围。"),
    ASK,
)
PERSON_ABOVE_YOU = ErrorCode(
    "IAM/PERSON_ABOVE_YOU",
    403,
    Text("{name} holds roles that you may not hand out, so you may not do this to them.", "{name} 持有您无权授予的角色，您不能对其执行此操作。"),
    ASK,
)
ELSEWHERE_TOO = ErrorCode(
    "IAM/MEMBER_OF_OTHER_TENANTS",
    409,
    Text("{name} belongs to other tenants too.", "{name} 同时属于其他租户。"),
    Text("Remove them from this tenant only, or ask a platform administrator.", "可仅将其移出本租户，或联系平台管理员处理。"),
)
STILL_ADMINISTRATOR = ErrorCode(
    "IAM/STILL_ADMINISTRATOR",
    409,
    Text("{name} is an administrator of this tenant.", "{name} 是本租户的管理员。"),
    Text("Revoke that role first.", "请先撤销其管理员角色。"),
)
YOURSELF = ErrorCode(
    "IAM/NOT_TO_YOURSELF",
    409,
    Text("You cannot do this to yourself.", "不能对自己执行此操作。"),
    Text("Ask another administrator.", "请由其他管理员操作。"),
)
NOT_OF_TENANT = ErrorCode(
    "IAM/NOT_OF_THIS_TENANT",
    409,
    Text("{name} does not belong to this tenant.", "{name} 不属于本租户。"),
    Text("Add them to the tenant first.", "请先将其加入租户。"),
)
ROLE_IN_USE = ErrorCode(
    "IAM/ROLE_IN_USE",
    409,
    Text("The role {role} is held {count} times.", "角色 {role} 仍有 {count} 处授权。"),
    Text("Revoke it there first.", "请先撤销这些授权。"),
)
TWO_KEYS = ErrorCode(
    "IAM/TWO_KEYS_ALREADY",
    409,
    Text("There are two AccessKeys already.", "已有两个 AccessKey。"),
    Text("Delete one that is no longer used, then make the new one.", "请先删除不再使用的 AccessKey。"),
)
STILL_ENABLED = ErrorCode(
    "IAM/KEY_STILL_ENABLED",
    409,
    Text("The AccessKey {key} is enabled.", "AccessKey {key} 处于启用状态。"),
    Text("Disable it first, so that whoever still uses it is noticed.", "请先禁用，以便发现仍在使用它的程序。"),
)
NOT_EMPTY = ErrorCode(
    "IAM/NOT_EMPTY",
    409,
    Text("{name} still holds something: {what}.", "{name} 中仍有内容：{what}。"),
    Text("Move or delete that first.", "请先迁移或删除这些内容。"),
)
ALL = (
    TAKEN, ABOVE_YOU, PERSON_ABOVE_YOU, ELSEWHERE_TOO, STILL_ADMINISTRATOR, YOURSELF, NOT_OF_TENANT, ROLE_IN_USE,
    TWO_KEYS, STILL_ENABLED, NOT_EMPTY,
)  # fmt: skip

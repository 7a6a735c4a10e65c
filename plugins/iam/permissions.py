"""Rights and recorded operations of IAM. Those under ``iam.site`` reach beyond one tenant."""

from app.contracts.declarations import Permission
from app.guard import Operation
from app.words import _

SITE_TENANTS = Permission("iam.site.tenants", _("Create, disable and delete tenants"))
SITE_PEOPLE = Permission("iam.site.people", _("Delete people and change those of several tenants"))
SITE_JOIN = Permission("iam.site.join", _("Let other sites use this IAM"))
TENANT_READ = Permission("iam.tenant.read", _("See tenants and their overview"), reads=True)
TENANT_EDIT = Permission("iam.tenant.edit", _("Rename the tenant, change its security settings"))
WORKSPACE_READ = Permission("iam.workspace.read", _("See workspaces"), reads=True)
WORKSPACE_EDIT = Permission("iam.workspace.edit", _("Create, change and delete workspaces"))
MEMBER_READ = Permission("iam.member.read", _("See members"), reads=True)
MEMBER_EDIT = Permission("iam.member.edit", _("Create, freeze, reset, join and remove members"))
GROUP_READ = Permission("iam.group.read", _("See groups"), reads=True)
GROUP_EDIT = Permission("iam.group.edit", _("Create, change and dissolve groups"))
ACCOUNT_READ = Permission("iam.service-account.read", _("See service accounts"), reads=True)
ACCOUNT_EDIT = Permission("iam.service-account.edit", _("Create, change and delete service accounts"))
ACCOUNT_GRANT = Permission("iam.service-account.grant", _("Grant roles to service accounts"))
ROLE_READ = Permission("iam.role.read", _("See roles and permissions"), reads=True)
ROLE_EDIT = Permission("iam.role.edit", _("Create, change and delete custom roles"))
GRANT_READ = Permission("iam.grant.read", _("See who holds which role"), reads=True)
GRANT_EDIT = Permission("iam.grant.edit", _("Grant and revoke roles"))
KEY_READ = Permission("iam.access-key.read", _("See AccessKeys of others"), reads=True)
KEY_EDIT = Permission("iam.access-key.edit", _("Create, reveal, disable and delete AccessKeys of others"))
CLIENT_READ = Permission("iam.client.read", _("See OIDC clients"), reads=True)
CLIENT_EDIT = Permission("iam.client.edit", _("Register and change OIDC clients"))
CLIENT_API = Permission("iam.client.api", _("Let OIDC clients use the API in people's names"))
CHECK = Permission("iam.permission.check", _("Ask what somebody may do, and why"), reads=True)

ALL = (
    SITE_TENANTS,
    SITE_PEOPLE,
    SITE_JOIN,
    TENANT_READ,
    TENANT_EDIT,
    WORKSPACE_READ,
    WORKSPACE_EDIT,
    MEMBER_READ,
    MEMBER_EDIT,
    GROUP_READ,
    GROUP_EDIT,
    ACCOUNT_READ,
    ACCOUNT_EDIT,
    ACCOUNT_GRANT,
    ROLE_READ,
    ROLE_EDIT,
    GRANT_READ,
    GRANT_EDIT,
    KEY_READ,
    KEY_EDIT,
    CLIENT_READ,
    CLIENT_EDIT,
    CLIENT_API,
    CHECK,
)
OF_THE_SITE = ("iam.site.", "core.site.")  # what reaches beyond one tenant: the platform administrator's alone

SIGNED_IN = Operation("iam.sign-in.done", _("Gave name and password"))
SIGNED_OUT = Operation("iam.sign-in.ended", _("Ended the sign-in"))
PASSWORD_CHANGED = Operation("iam.password.changed", _("Changed the own password"))
CONSENTED = Operation("iam.consent.given", _("Answered an application's request"))
CONSENT_WITHDRAWN = Operation("iam.consent.withdrawn", _("Withdrew a consent"))
TOKEN_ISSUED = Operation("iam.token.issued", _("Issued a token"))
TOKEN_REVOKED = Operation("iam.token.revoked", _("Took a token back"))
PROFILE_CHANGED = Operation("iam.profile.changed", _("Changed own personal information"))
TENANT_CREATED = Operation("iam.tenant.created", _("Created a tenant"))
TENANT_CHANGED = Operation("iam.tenant.changed", _("Changed a tenant"))
TENANT_DELETED = Operation("iam.tenant.deleted", _("Deleted a tenant"))
WORKSPACE_CREATED = Operation("iam.workspace.created", _("Created a workspace"))
WORKSPACE_CHANGED = Operation("iam.workspace.changed", _("Changed a workspace"))
WORKSPACE_DELETED = Operation("iam.workspace.deleted", _("Deleted a workspace"))
MEMBER_CREATED = Operation("iam.member.created", _("Created a member"))
MEMBER_CHANGED = Operation("iam.member.changed", _("Changed a member"))
MEMBERS_IMPORTED = Operation("iam.member.imported", _("Imported members"))
MEMBER_FROZEN = Operation("iam.member.frozen", _("Froze a member"))
MEMBER_UNFROZEN = Operation("iam.member.unfrozen", _("Unfroze a member"))
MEMBER_RESET = Operation("iam.member.password_reset", _("Reset a member's password"))
MEMBER_JOINED = Operation("iam.member.joined", _("Added a member to the tenant"))
MEMBER_LEFT = Operation("iam.member.left", _("Removed a member from the tenant"))
MEMBER_DELETED = Operation("iam.member.deleted", _("Deleted a member"))
GROUP_CREATED = Operation("iam.group.created", _("Created a group"))
GROUP_CHANGED = Operation("iam.group.changed", _("Changed a group"))
GROUP_DISSOLVED = Operation("iam.group.dissolved", _("Dissolved a group"))
GROUP_MEMBER_ADDED = Operation("iam.group.member_added", _("Added a member to a group"))
GROUP_MEMBER_REMOVED = Operation("iam.group.member_removed", _("Removed a member from a group"))
ACCOUNT_CREATED = Operation("iam.service-account.created", _("Created a service account"))
ACCOUNT_CHANGED = Operation("iam.service-account.changed", _("Changed a service account"))
ACCOUNT_DELETED = Operation("iam.service-account.deleted", _("Deleted a service account"))
ROLE_CREATED = Operation("iam.role.created", _("Created a role"))
ROLE_CHANGED = Operation("iam.role.changed", _("Changed a role"))
ROLE_DELETED = Operation("iam.role.deleted", _("Deleted a role"))
GRANTED = Operation("iam.grant.given", _("Granted a role"))
REVOKED = Operation("iam.grant.revoked", _("Revoked a role"))
EXPIRED = Operation("iam.grant.expired", _("A role expired"))
KEY_CREATED = Operation("iam.access-key.created", _("Created an AccessKey"))
KEY_REVEALED = Operation("iam.access-key.revealed", _("Revealed an AccessKey's secret"))
KEY_ENABLED = Operation("iam.access-key.enabled", _("Enabled an AccessKey"))
KEY_DISABLED = Operation("iam.access-key.disabled", _("Disabled an AccessKey"))
KEY_DELETED = Operation("iam.access-key.deleted", _("Deleted an AccessKey"))
CLIENT_CREATED = Operation("iam.client.created", _("Registered an OIDC client"))
CLIENT_CHANGED = Operation("iam.client.changed", _("Changed an OIDC client"))
CLIENT_ROTATED = Operation("iam.client.secret_rotated", _("Rotated an OIDC client's secret"))
CLIENT_DELETED = Operation("iam.client.deleted", _("Deleted an OIDC client"))
SITE_DECLARED = Operation("iam.site.declared", _("Another site declared its rights and roles"))
KEYS_ROTATED = Operation("iam.signing-key.rotated", _("Rotated the signing keys"))

# Recorded without a route of their own.
BY_THE_SITE = (SIGNED_OUT, EXPIRED, SITE_DECLARED, KEYS_ROTATED)

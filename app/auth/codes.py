"""What can go wrong between this console and the provider that signs its people in."""

from __future__ import annotations

from app.errors import ErrorCode
from app.words import _

PROVIDER_AWAY = ErrorCode(
    "AUTH/PROVIDER_UNREACHABLE",
    503,
    _("The identity provider {issuer} does not answer."),
    _("Check that it runs and that OIDC_ISSUER names it."),
)
SIGN_IN_FAILED = ErrorCode(
    "AUTH/SIGN_IN_FAILED",
    400,
    _("The sign-in could not be completed: {detail}"),
    _("Start again from the sign-in page."),
)
SITE_REFUSED = ErrorCode(
    "AUTH/SITE_NOT_JOINED",
    503,
    _("The IAM at {issuer} does not take this console as a joined site."),
    _(
        "Mark the OIDC client there as the console of another site, and check OIDC_CLIENT_ID and "
        "OIDC_CLIENT_SECRET here."
    ),
)
NO_SUCH_ENDPOINT = ErrorCode(
    "AUTH/PROVIDER_LACKS_ENDPOINT",
    503,
    _("The identity provider {issuer} has no {endpoint}."),
    _("For a provider that is no AntStack IAM, say with OIDC_CLAIMS where its claims hold the roles."),
)
NOT_VALID = ErrorCode(
    "AUTH/SNAPSHOT_NOT_VALID",
    503,
    _("The grants that {issuer} sent cannot be trusted: {detail}"),
    _("Check OIDC_ISSUER and OIDC_CLIENT_ID, and the clocks of both sites."),
)
NOT_TOLD = ErrorCode(
    "AUTH/PROVIDER_DOES_NOT_TELL",
    401,
    _("The identity provider of this site signs people in, but says nothing of {what}."),
    _("Sign in with a browser, or use an AntStack IAM as the provider."),
)
ERRORS = (PROVIDER_AWAY, SIGN_IN_FAILED, SITE_REFUSED, NO_SUCH_ENDPOINT, NOT_VALID, NOT_TOLD)

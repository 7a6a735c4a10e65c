"""The OpenID provider (OpenID Connect Core 1.0, RFC 6749, RFC 7636, RFC 9207) on Authlib."""

"""The shared fixtures do what the cheat sheet says."""

from plugins.iam.permissions import MEMBER_READ


def test_somebody_signed_in_reaches_the_start_page(as_holder_of):
    assert as_holder_of(MEMBER_READ).get("/").status_code == 200


def test_nobody_is_sent_to_sign_in(client):
    answer = client.get("/")

    assert answer.status_code == 303
    assert answer.location.startswith("/login")

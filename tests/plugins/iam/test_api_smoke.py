def test_members(as_role, api, audit_log):
    admin = api(as_role("tenant-administrator"))
    made = admin.post("/iam/members", {"login": "new@example.test", "name": "New"})
    assert made.status_code == 201, made.text
    assert admin.get("/iam/members").json["items"]
    r = admin.post("/iam/grants", {"principal": {"type": "member", "id": made.json["id"]}, "role": "tenant-administrator", "conditions":[{"kind":"mfa"}]})
    assert r.status_code == 201, r.text
    r = admin.post("/iam/grants", {"principal": {"type": "member", "id": made.json["id"]}, "role": "platform-administrator"})
    assert r.status_code == 403, r.text
    for path in ("tenants","workspaces","groups","service-accounts","roles","permissions","grants","access-keys","oidc-clients"):
        r = admin.get(f"/iam/{path}")
        assert r.status_code == 200, (path, r.text)
    print(audit_log())

def test_what_is_created_is_there(client):
    assert client.post("/items", params={"name": "cup"}).status_code == 201
    assert client.get("/items").json() == ["cup"]

"""The parties that a form offers, and the panel of the faults of one party."""

import re

from flask.testing import FlaskClient

from tests.webapp.support import command, make_room


def others(client: FlaskClient, room: str, address: str) -> list[str]:
    """Return the parties that are offered as the other end of a link."""
    panel = client.get(f"/rooms/{room}/panels/trouble", query_string={"address": address})
    assert panel.status_code == 200
    return re.findall(r'<option value="([^"]+)">', panel.text)


def test_the_engine_knows_every_party_that_is_offered(client: FlaskClient) -> None:
    made = make_room(client, scenario="deployment", paused=True)
    offered = others(client, made.room, "registry")
    assert {"registry:analysis", "mirror:Mirror/Mirror A", "loader:Loader", "auditor:live", "broker:12"} <= set(offered)
    assert "registry" not in offered
    for other in offered:
        answer = command(client, made, "set_link", **{"from": "registry", "to": other, "loss_percent": 1})
        assert answer.status_code == 202, other


def test_the_panel_of_a_party_lists_its_faults(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    command(client, made, "set_link", **{"from": "producer", "to": "broker:2", "delay_ms": 1500})
    command(client, made, "set_disk", broker=2, delay_ms=3000)
    panel = client.get(f"/rooms/{made.room}/panels/trouble?address=broker:2").text
    assert "1.5 s slower to the producer" in panel
    assert "its disk is slow: 3.0 s a batch" in panel
    assert "what is broken now" not in client.get(f"/rooms/{made.room}/panels/trouble?address=broker:1").text


def test_a_party_that_does_not_exist_has_no_panel(client: FlaskClient) -> None:
    made = make_room(client)
    answer = client.get(f"/rooms/{made.room}/panels/trouble?address=broker:99", headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert "no party has the address" in answer.json["message"]

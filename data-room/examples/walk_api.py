"""Walks the data room's API from end to end with nothing but Python's standard library.

    python3 data-room/examples/walk_api.py http://127.0.0.1:8090 "$TOKEN"

The token needs every scope. For the step with a subscription the data room must be allowed to speak to this machine
(`notify-hosts = ["127.0.0.1"]` under `[api]`). Each step says what it found; the first one that fails ends the walk.
"""

import base64
import http.server
import json
import os
import queue
import socket
import struct
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timedelta, timezone


class Api:
    """The API at an address, seen with a token."""

    def __init__(self, address, token):
        self.address, self.token = address.rstrip("/"), token

    def call(self, method, path, body=None, accept=None, **parameters):
        """Status, headers and bytes of an answer."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        request = urllib.request.Request(self.address + path + query, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        if accept:
            request.add_header("Accept", accept)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, data, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def get(self, path, accept=None, **parameters):
        """The bytes of an answer that must be one."""
        status, _, data = self.call("GET", path, accept=accept, **parameters)
        assert status in (200, 204), f"{path}: {status} {data[:300]}"
        return data

    def json(self, path, **parameters):
        return json.loads(self.get(path, **parameters))


class Receiver(http.server.ThreadingHTTPServer):
    """Takes notifications."""

    def __init__(self):
        self.heard = queue.Queue()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):
                length = int(handler.headers["Content-Length"])
                self.heard.put(json.loads(handler.rfile.read(length)))
                handler.send_response(204)
                handler.end_headers()

            def log_message(handler, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def first_of_live(api):
    """The first text of the live stream, over a WebSocket made by hand (RFC 6455)."""
    url = urllib.parse.urlsplit(api.address)
    with socket.create_connection((url.hostname, url.port or 80), timeout=60) as stream:
        key = base64.b64encode(os.urandom(16)).decode()
        head = [
            "GET /live?type=TrafficSignal HTTP/1.1", f"Host: {url.netloc}", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}",
            f"Sec-WebSocket-Protocol: masa.v1, bearer.{api.token}", "", "",
        ]
        stream.sendall("\r\n".join(head).encode())
        reader = stream.makefile("rb")
        status = reader.readline()
        assert b" 101 " in status, status
        headers = {}
        while (line := reader.readline().strip()):
            name, value = line.decode().split(": ", 1)
            headers[name.lower()] = value
        assert headers["sec-websocket-protocol"] == "masa.v1", headers
        _, length = reader.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", reader.read(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", reader.read(8))
        return json.loads(reader.read(length))


def times(**ahead):
    return (datetime.now(timezone.utc) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")


def walk(api):
    """The steps: each gives what it found, in words."""
    yield "health", api.json("/health")["ingest"]["trouble"] or "takes records"
    document = api.json("/openapi.json")
    yield "OpenAPI", f"{document['openapi']}, {sum(len(path) for path in document['paths'].values())} operations"
    yield "context", f"{len(api.json('/ngsi-ld/v1/jsonldContexts/masa')['@context'])} terms"

    status, _, _ = Api(api.address, "masa_nobody").call("GET", "/ngsi-ld/v1/entities")
    assert status == 401, status
    yield "a wrong token", "401"

    types = api.json("/ngsi-ld/v1/types")["typeList"]
    assert types, "there are no entities"
    yield "types", ", ".join(types)
    normalized = api.json("/ngsi-ld/v1/entities", type=types[0], limit=1)[0]
    assert normalized["location"]["type"] == "GeoProperty", normalized
    values = api.json("/ngsi-ld/v1/entities/" + normalized["id"], options="keyValues")
    assert values["location"] == normalized["location"]["value"]
    yield "one entity, both forms", values["id"]
    status, headers, data = api.call("GET", "/ngsi-ld/v1/entities", limit=2, count="true")
    yield "a page", f"{len(json.loads(data))} of {headers['NGSILD-Results-Count']}"
    near = {"georel": "near;maxDistance==500", "geometry": "Point"}
    place = values["location"]["coordinates"]
    while isinstance(place[0], list):
        place = place[0]
    found = api.json("/ngsi-ld/v1/entities", coordinates=json.dumps(place), limit=1000, **near)
    assert values["id"] in [entity["id"] for entity in found]
    yield "within 500 m of it", f"{len(found)} entities"

    alert = {
        "id": "urn:ngsi-ld:Alert:operators:walk-" + base64.b16encode(os.urandom(6)).decode().lower(), "type": "Alert",
        "category": "traffic", "subCategory": "roadWorks", "severity": "low", "description": "Test of the API",
        "dateIssued": times(), "validFrom": times(), "validTo": times(hours=1),
        "alertSource": "urn:ngsi-ld:Organization:city", "location": {"type": "Point", "coordinates": place},
    }
    receiver = Receiver()
    subscription = {
        "type": "Subscription", "entities": [{"type": "Alert"}], "q": "subCategory==\"roadWorks\"",
        "notification": {"format": "keyValues", "endpoint": {"uri": f"http://127.0.0.1:{receiver.server_port}/"}},
    }
    status, headers, data = api.call("POST", "/ngsi-ld/v1/subscriptions", subscription)
    assert status == 201, (status, data)
    subscription = headers["Location"]
    yield "a subscription", subscription
    status, headers, data = api.call("POST", "/ngsi-ld/v1/entities", alert)
    assert status == 201, (status, data)
    yield "an alert of an operator", headers["Location"]
    notification = receiver.heard.get(timeout=60)
    while alert["id"] not in [entity["id"] for entity in notification["data"]]:
        notification = receiver.heard.get(timeout=60)
    yield "its notification", notification["id"]
    assert api.json(subscription)["notification"]["timesSent"] >= 0
    status, _, _ = api.call("DELETE", subscription)
    assert status == 204, status

    cap = ElementTree.fromstring(api.get("/cap/alerts/" + alert["id"]))
    yield "its CAP message", cap.find("{urn:oasis:names:tc:emergency:cap:1.2}identifier").text
    feed = ElementTree.fromstring(api.get("/cap/feed"))
    yield "the feed of alerts", f"{len(feed.findall('{http://www.w3.org/2005/Atom}entry'))} entries"
    for publication in document["paths"]["/datex2/{publication}"]["get"]["parameters"][0]["schema"]["enum"]:
        data = api.get("/datex2/" + publication)
        if data:
            ElementTree.fromstring(data)
        yield f"DATEX II {publication}", f"{len(data)} bytes"
    status, _, _ = api.call("DELETE", "/ngsi-ld/v1/entities/" + alert["id"])
    assert status == 204, status
    yield "the end of the alert", "204"

    history = api.json("/ngsi-ld/v1/temporal/entities", type=types[0], lastN=5, options="temporalValues", limit=10)
    yield "how it was", f"{len(history)} entities of {types[0]}"
    yield "GeoJSON", f"{len(api.json('/geojson')['features'])} features"
    yield "the whole world as a tile", f"{len(api.get('/tiles/0/0/0'))} bytes"
    yield "the world a second ago", f"{len(api.json('/twin', at=times(seconds=-1))['entities'])} entities"
    yield "the junction in 3D", f"{len(api.json('/scene.gltf')['nodes'])} nodes"
    yield "records", f"{len(api.json('/records', limit=10)['records'])} of the newest"
    catalogue = api.json("/dcat")["@graph"]
    yield "the catalogue", f"{len(catalogue) - 1} data sets"
    live = first_of_live(api)
    assert live["kind"] == "snapshot", live
    yield "live", f"{len(live['features'])} signals"
    yield "audit", f"{len(api.json('/audit', limit=1000)['entries'])} records"


def main():
    address, token = sys.argv[1:3]
    for step, found in walk(Api(address, token)):
        print(f"{step:28} {found}", flush=True)


if __name__ == "__main__":
    main()

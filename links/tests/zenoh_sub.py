"""A foreign Zenoh subscriber: prints key, UPER in hexadecimal, id and seq of each message that a node publishes.

Usage: zenoh_sub.py ENDPOINT
"""

import json
import sys

import zenoh


def main() -> None:
    config = zenoh.Config()
    config.insert_json5("mode", '"peer"')
    config.insert_json5("connect/endpoints", json.dumps([sys.argv[1]]))
    config.insert_json5("listen/endpoints", "[]")
    config.insert_json5("scouting/multicast/enabled", "false")
    with zenoh.open(config) as session:
        subscriber = session.declare_subscriber("masa/*/*/v2x/**")
        print("ready", flush=True)
        for sample in subscriber:
            header = json.loads(sample.attachment.to_bytes())
            print(sample.key_expr, sample.payload.to_bytes().hex(), header["id"], header["seq"], flush=True)


if __name__ == "__main__":
    main()

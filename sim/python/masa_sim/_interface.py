"""The interface's messages and calls, compiled when this module is imported.

Generated code would have to match the installed protobuf; the shipped file does not. In a source tree the file is that of
the simulator itself, in an installed package the copy beside this module.
"""

import pathlib
import sys

import grpc

_NAME = "masa/sim/v1/simulator.proto"
_HERE = pathlib.Path(__file__).resolve().parent
_ROOTS = [_HERE / "proto", _HERE.parent.parent / "proto"]


def _compile():
    root = next((root for root in _ROOTS if (root / _NAME).exists()), None)
    if root is None:
        raise ImportError(f"{_NAME} is in none of {', '.join(map(str, _ROOTS))}")
    # grpcio finds interfaces along the module path.
    sys.path.insert(0, str(root))
    try:
        return grpc.protos_and_services(_NAME)
    finally:
        sys.path.remove(str(root))


messages, services = _compile()

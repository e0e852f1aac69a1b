"""The connection to a simulator."""

import grpc

from ._interface import messages, services
from .world import World

_MIB = 1 << 20
_OPTIONS = [("grpc.max_receive_message_length", 128 * _MIB)]


class SimulatorError(RuntimeError):
    """The simulator refused a call; `code` is gRPC's."""

    def __init__(self, code, details):
        super().__init__(f"{code.name}: {details}")
        self.code = code


class Client:
    """A client of one simulator. `token` is what `masa sim serve --token` was given."""

    def __init__(self, host="127.0.0.1", port=2000, token=None, timeout=10.0):
        self._channel = grpc.insecure_channel(f"{host}:{port}", options=_OPTIONS)
        self._stub = services.SimulatorStub(self._channel)
        self._metadata = [("authorization", f"Bearer {token}")] if token else []
        self._timeout = timeout

    def set_timeout(self, seconds):
        """How long a call may take, seconds; steps may take ten times as long."""
        self._timeout = seconds

    def get_server_version(self):
        return self._call("Describe", messages.DescribeRequest()).version

    get_client_version = get_server_version

    def get_available_maps(self):
        return [one.name for one in self._call("Describe", messages.DescribeRequest()).maps]

    def load_world(self, name="", seed=0, fixed_delta_seconds=0.05):
        """A new world on a map; everything of the world before is gone."""
        request = messages.LoadWorldRequest(map=name, seed=seed, step=fixed_delta_seconds)
        return World(self, self._call("LoadWorld", request, patience=10))

    def get_world(self):
        """The world that is loaded."""
        return World(self, self._call("GetWorld", messages.GetWorldRequest()))

    def reload_world(self):
        world = self._call("GetWorld", messages.GetWorldRequest())
        return self.load_world(world.map, world.seed, world.step)

    def close(self):
        self._channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _call(self, name, request, patience=1):
        try:
            return getattr(self._stub, name)(request, timeout=self._timeout * patience, metadata=self._metadata)
        except grpc.RpcError as error:
            raise SimulatorError(error.code(), error.details()) from None

    def _stream(self, name, request):
        return getattr(self._stub, name)(request, metadata=self._metadata)

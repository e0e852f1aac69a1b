"""Actors: vehicles, people, sensors, traffic lights."""

import enum
import math
import threading
from dataclasses import dataclass, field

import grpc

from ._interface import messages
from .geometry import Location, Transform, Vector3D
from .sensor_data import measurement


@dataclass
class VehicleControl:
    """Pedals and wheel: throttle and brake 0 to 1, steer −1 (left) to 1 (right) as in CARLA."""

    throttle: float = 0.0
    steer: float = 0.0
    brake: float = 0.0
    hand_brake: bool = False
    reverse: bool = False


@dataclass
class WalkerControl:
    """Where somebody walks, and how fast, m/s."""

    direction: Vector3D = field(default_factory=Vector3D)
    speed: float = 0.0


@dataclass
class BoundingBox:
    """A box: its middle in the actor's axes, and half its size, metres."""

    location: Location
    extent: Vector3D


class Actor:
    """Something on the road. Its state is that of the world's last snapshot."""

    def __init__(self, world, number, type_id):
        self._world, self.id, self.type_id = world, number, type_id

    def _state(self):
        return self._world.get_snapshot()._state(self.id)

    @property
    def is_alive(self):
        return self._world.get_snapshot().has_actor(self.id)

    def get_transform(self):
        return Transform._of(self._state().transform)

    def get_location(self):
        return Location._of(self._state().transform.location)

    def get_velocity(self):
        return Vector3D._of(self._state().velocity)

    def get_acceleration(self):
        return Vector3D._of(self._state().acceleration)

    def get_angular_velocity(self):
        """Degrees a second, counter-clockwise about z."""
        return Vector3D(0.0, 0.0, math.degrees(self._state().yaw_rate))

    @property
    def bounding_box(self):
        size = self._state().size
        return BoundingBox(Location(0.0, 0.0, size.z / 2), Vector3D(size.x / 2, size.y / 2, size.z / 2))

    def set_transform(self, transform):
        """Puts it elsewhere at once."""
        self._control(transform=transform._message())

    def destroy(self):
        """Takes it off the road; whether it was there."""
        destroyed = self._world._client._call("Destroy", messages.DestroyRequest(actor=self.id)).destroyed
        self._world._look()
        return destroyed

    def _control(self, **control):
        self._world._client._call("ApplyControl", messages.ControlRequest(actor=self.id, **control))
        if "transform" in control:
            self._world._look()

    def __eq__(self, other):
        return isinstance(other, Actor) and self.id == other.id

    def __hash__(self):
        return hash(self.id)

    def __repr__(self):
        return f"{type(self).__name__}(id={self.id}, type={self.type_id})"


class Vehicle(Actor):
    """A vehicle, by hand or with a driver."""

    def apply_control(self, control):
        """Drives by hand from the next step on."""
        brake = 1.0 if control.hand_brake else control.brake
        # The simulator's positive steering is to the left.
        vehicle = messages.VehicleControl(
            throttle=control.throttle, brake=brake, steer=-control.steer, reverse=control.reverse
        )
        self._control(vehicle=vehicle)

    def set_autopilot(self, enabled=True):
        """Leaves it to a driver, or to nobody."""
        self._control(autopilot=enabled)

    def set_speed_limit(self, metres_per_second):
        """Goes no faster from now on; `None` lifts it."""
        self._control(speed_limit=-1.0 if metres_per_second is None else metres_per_second)

    def change_lane(self, lanes):
        """So many lanes inwards (left in right-hand traffic), negative outwards."""
        self._control(change_lane=lanes)


class Walker(Actor):
    """Somebody on foot."""

    def apply_control(self, control):
        self._control(walker=messages.WalkerControl(direction=control.direction._message(), speed=control.speed))


class Sensor(Actor):
    """A sensor; what it sends goes to the callback of `listen`."""

    def __init__(self, world, number, type_id, parent):
        super().__init__(world, number, type_id)
        self.parent = parent
        self._call = self._thread = self._failure = None
        self._frame = 0
        self._arrived = threading.Condition()

    @property
    def is_listening(self):
        return self._call is not None

    def listen(self, callback):
        """Calls `callback(data)` with what the sensor sends of each tick, on a thread of its own."""
        self.stop()
        call = self._world._client._stream("Listen", messages.ListenRequest(sensor=self.id))
        # The stream is open once its first metadata are here: no tick is missed.
        try:
            call.initial_metadata()
        except grpc.RpcError as error:
            from .client import SimulatorError

            raise SimulatorError(error.code(), error.details()) from None
        self._call, self._failure = call, None

        def read():
            try:
                for message in call:
                    callback(measurement(self.type_id, message))
                    with self._arrived:
                        self._frame = message.frame
                        self._arrived.notify_all()
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.CANCELLED:
                    self._failure = error
            except Exception as error:  # noqa: BLE001 -- a callback's fault is told by the next tick
                self._failure = error
            with self._arrived:
                self._call = None
                self._arrived.notify_all()

        self._thread = threading.Thread(target=read, name=f"sensor {self.id}", daemon=True)
        self._thread.start()

    def stop(self):
        """Listens no more."""
        call, thread = self._call, self._thread
        if call is not None:
            call.cancel()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._call = self._thread = None

    def destroy(self):
        self.stop()
        self._world._forget(self)
        return self._world._client._call("DetachSensor", messages.DetachSensorRequest(sensor=self.id)).detached

    def get_transform(self):
        raise NotImplementedError("each of a sensor's data carries its transform")

    get_location = get_transform


class TrafficLightState(enum.IntEnum):
    """What a light shows."""

    Unknown = 0
    Red = 1
    RedYellow = 2
    Yellow = 3
    Green = 4
    GreenMinor = 5
    OffBlinking = 6
    Off = 7


class TrafficLight:
    """The light of one way through a junction."""

    def __init__(self, world, message):
        self._world, self._message = world, message
        self.controller, self.link, self.name = message.controller, message.link, message.name

    @property
    def state(self):
        return TrafficLightState(self._message.state)

    def get_state(self):
        return self.state

    def get_transform(self):
        """Where vehicles stop for it."""
        return Transform._of(self._message.stop)

    def is_frozen(self):
        return self._message.frozen

    def set_state(self, state):
        """Shows this from the next tick on, whatever the programme says."""
        self._set(state)

    def reset(self):
        """Leaves it to its programme again."""
        self._set(TrafficLightState.Unknown)

    def _set(self, state):
        request = messages.SetTrafficLightStateRequest(controller=self.controller, link=self.link, state=int(state))
        self._world._client._call("SetTrafficLightState", request)

    def __repr__(self):
        return f"TrafficLight({self.name}/{self.link}, {self.state.name})"

"""Places, directions and angles: right-handed, metres and degrees."""

import math
from dataclasses import dataclass, field

from ._interface import messages


@dataclass
class Vector3D:
    """Three numbers along east, north and up."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0

    def length(self):
        return math.sqrt(self.x * self.x + self.y * self.y + self.z * self.z)

    def __add__(self, other):
        return type(self)(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return type(self)(self.x - other.x, self.y - other.y, self.z - other.z)

    def __mul__(self, factor):
        return type(self)(self.x * factor, self.y * factor, self.z * factor)

    __rmul__ = __mul__

    @classmethod
    def _of(cls, vector):
        return cls(vector.x, vector.y, vector.z)

    def _message(self):
        return messages.Vector(x=self.x, y=self.y, z=self.z)


class Location(Vector3D):
    """A place, metres."""

    def distance(self, other):
        return (self - other).length()


@dataclass
class Rotation:
    """Degrees: pitch up, yaw counter-clockwise from east (CARLA's runs the other way), roll to the right."""

    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0

    def get_forward_vector(self):
        yaw, pitch = math.radians(self.yaw), math.radians(self.pitch)
        return Vector3D(math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), math.sin(pitch))


@dataclass
class Transform:
    """A place and an attitude."""

    location: Location = field(default_factory=Location)
    rotation: Rotation = field(default_factory=Rotation)

    def transform(self, point):
        """A point of this frame (x ahead, y left, z up) in the world; roll is left out."""
        ahead = self.rotation.get_forward_vector()
        yaw = math.radians(self.rotation.yaw)
        left = Vector3D(-math.sin(yaw), math.cos(yaw), 0.0)
        up = Vector3D(
            ahead.y * left.z - ahead.z * left.y, ahead.z * left.x - ahead.x * left.z, ahead.x * left.y - ahead.y * left.x
        )
        moved = ahead * point.x + left * point.y + up * point.z
        return Location(self.location.x + moved.x, self.location.y + moved.y, self.location.z + moved.z)

    def get_forward_vector(self):
        return self.rotation.get_forward_vector()

    @classmethod
    def _of(cls, transform):
        angles = (math.degrees(angle) for angle in (transform.pitch, transform.yaw, transform.roll))
        return cls(Location._of(transform.location), Rotation(*angles))

    def _message(self):
        return messages.Transform(
            location=self.location._message(),
            yaw=math.radians(self.rotation.yaw),
            pitch=math.radians(self.rotation.pitch),
            roll=math.radians(self.rotation.roll),
        )

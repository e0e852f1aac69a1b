"""What sensors send."""

import struct
import zlib
from dataclasses import dataclass

from .geometry import Transform, Vector3D


class SensorData:
    """Data of one sensor of one step. `frame` is the same for all data of the step, and for its snapshot."""

    def __init__(self, message):
        self.frame = message.frame
        self.timestamp = message.time
        self.transform = Transform._of(message.transform)

    def __repr__(self):
        return f"{type(self).__name__}(frame={self.frame}, timestamp={self.timestamp:.3f})"


@dataclass
class BoundingBox2D:
    """What is seen of an actor, pixels from the upper left corner; `visible` is the share that nothing hides."""

    actor_id: int
    type_id: str
    left: float
    top: float
    right: float
    bottom: float
    visible: float


class Image(SensorData):
    """An image. `raw_data` is row by row from the top: R, G, B (CARLA: B, G, R, A); of a depth camera float metres, of a
    semantic one a class a pixel, of an instance one the actor's number as 32 bits."""

    def __init__(self, message):
        super().__init__(message)
        image = message.image
        self.width, self.height, self.raw_data = image.width, image.height, image.data
        self.boxes = [
            BoundingBox2D(one.actor, one.type_id, one.left, one.top, one.right, one.bottom, one.visible)
            for one in image.boxes
        ]

    @property
    def bytes_per_pixel(self):
        return len(self.raw_data) // max(1, self.width * self.height)

    def to_numpy(self):
        """Height × width (× 3) array: bytes of a colour or semantic image, float32 of depth, uint32 of instances."""
        import numpy

        shape = (self.height, self.width)
        match self.bytes_per_pixel:
            case 3:
                return numpy.frombuffer(self.raw_data, numpy.uint8).reshape(*shape, 3)
            case 1:
                return numpy.frombuffer(self.raw_data, numpy.uint8).reshape(shape)
            case _:
                return numpy.frombuffer(self.raw_data, self._wide).reshape(shape)

    _wide = "<f4"

    def save_to_disk(self, path):
        """Writes a colour or semantic image as PNG."""
        channels = self.bytes_per_pixel
        if channels not in (1, 3):
            raise ValueError("only colour and semantic images have a PNG form")
        row = self.width * channels
        # Each row of a PNG begins with its filter: none.
        rows = b"".join(b"\0" + self.raw_data[at : at + row] for at in range(0, row * self.height, row))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2 if channels == 3 else 0, 0, 0, 0)
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")):
                file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


class InstanceImage(Image):
    """An image of actors' numbers."""

    _wide = "<u4"


class GnssMeasurement(SensorData):
    """A position, degrees and metres."""

    def __init__(self, message):
        super().__init__(message)
        self.latitude, self.longitude, self.altitude = message.gnss.latitude, message.gnss.longitude, message.gnss.altitude


class ImuMeasurement(SensorData):
    """Acceleration with gravity, m/s², and turn rates, rad/s, in the sensor's axes; compass clockwise from north, radians."""

    def __init__(self, message):
        super().__init__(message)
        self.accelerometer = Vector3D._of(message.imu.acceleration)
        self.gyroscope = Vector3D._of(message.imu.angular_velocity)
        self.compass = message.imu.compass


class LoopMeasurement(SensorData):
    """What an induction loop counted in its last whole period; mean speed m/s, occupancy 0 to 1."""

    def __init__(self, message):
        super().__init__(message)
        self.count, self.occupancy, self.mean_speed = message.loop.count, message.loop.occupancy, message.loop.mean_speed


@dataclass
class TrueObject:
    """An actor in the sensor's axes: x ahead, y left, z up; size is length, width, height."""

    actor_id: int
    type_id: str
    transform: Transform
    velocity: Vector3D
    size: Vector3D


class TruthMeasurement(SensorData):
    """All actors within the sensor's range."""

    def __init__(self, message):
        super().__init__(message)
        self.objects = [
            TrueObject(
                one.id, one.type_id, Transform._of(one.transform), Vector3D._of(one.velocity), Vector3D._of(one.size)
            )
            for one in message.truth.actors
        ]


def measurement(blueprint, message):
    """The measurement of a sensor of a blueprint."""
    if blueprint == "sensor.camera.instance":
        return InstanceImage(message)
    kinds = {
        "image": Image,
        "gnss": GnssMeasurement,
        "imu": ImuMeasurement,
        "loop": LoopMeasurement,
        "truth": TruthMeasurement,
    }
    return kinds.get(message.WhichOneof("data"), SensorData)(message)

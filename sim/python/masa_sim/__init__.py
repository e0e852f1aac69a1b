"""Client of the MASA simulator, shaped like CARLA's Python client.

    import masa_sim

    client = masa_sim.Client("127.0.0.1", 2000)
    world = client.load_world("masa")
    car = world.spawn_actor(world.get_blueprint_library().find("vehicle.car"), world.get_map().get_spawn_points()[0])
    car.set_autopilot(True)
    world.tick()

Differences from CARLA: axes are right-handed (x east, y north, z up; yaw counter-clockwise from east, degrees), a transform
of an actor is that of the middle of its footprint on the ground, and time moves by `World.tick` alone.
"""

from .actors import Actor, BoundingBox, Sensor, TrafficLight, TrafficLightState, Vehicle, VehicleControl, Walker, WalkerControl
from .blueprints import ActorBlueprint, BlueprintLibrary
from .client import Client, SimulatorError
from .geometry import Location, Rotation, Transform, Vector3D
from .map import Map, Waypoint
from .sensor_data import (
    BoundingBox2D,
    GnssMeasurement,
    Image,
    ImuMeasurement,
    LoopMeasurement,
    SensorData,
    TruthMeasurement,
)
from .world import World, WorldSnapshot, WeatherParameters

__all__ = [
    "Actor",
    "ActorBlueprint",
    "BlueprintLibrary",
    "BoundingBox",
    "BoundingBox2D",
    "Client",
    "GnssMeasurement",
    "Image",
    "ImuMeasurement",
    "Location",
    "LoopMeasurement",
    "Map",
    "Rotation",
    "Sensor",
    "SensorData",
    "SimulatorError",
    "TrafficLight",
    "TrafficLightState",
    "Transform",
    "TruthMeasurement",
    "Vector3D",
    "Vehicle",
    "VehicleControl",
    "Walker",
    "WalkerControl",
    "Waypoint",
    "WeatherParameters",
    "World",
    "WorldSnapshot",
]

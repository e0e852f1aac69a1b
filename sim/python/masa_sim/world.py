"""A world: time, actors, weather, lights."""

from dataclasses import asdict, dataclass

from ._interface import messages
from .actors import Actor, Sensor, TrafficLight, Vehicle, Walker
from .blueprints import ActorBlueprint, BlueprintLibrary
from .geometry import Location, Transform
from .map import Map

_PATIENCE_S = 60.0


@dataclass
class WeatherParameters:
    """Light and weather: degrees, millimetres an hour, metres, metres a second, degrees Celsius; shares 0 to 1."""

    sun_elevation: float = 45.0
    sun_azimuth: float = 150.0
    cloud_cover: float = 0.2
    rain: float = 0.0
    visibility: float = 20_000.0
    road_wetness: float = 0.0
    wind: float = 2.0
    wind_from: float = 270.0
    temperature: float = 20.0


WeatherParameters.ClearNoon = WeatherParameters()
WeatherParameters.HardRainNoon = WeatherParameters(cloud_cover=1.0, rain=20.0, visibility=3_000.0, road_wetness=1.0)
WeatherParameters.FoggyMorning = WeatherParameters(sun_elevation=10.0, cloud_cover=1.0, visibility=120.0, road_wetness=0.3)
WeatherParameters.ClearSunset = WeatherParameters(sun_elevation=3.0, sun_azimuth=270.0)
WeatherParameters.ClearNight = WeatherParameters(sun_elevation=-20.0)


class WorldSnapshot:
    """The world at one frame."""

    def __init__(self, message):
        self.frame, self.timestamp = message.frame, message.time
        self._message = message
        self._actors = {one.id: one for one in message.actors}

    def has_actor(self, number):
        return number in self._actors

    def _state(self, number):
        try:
            return self._actors[number]
        except KeyError:
            raise RuntimeError(f"actor {number} is not in the world") from None

    def __len__(self):
        return len(self._actors)

    def __iter__(self):
        return iter(self._actors.values())


class World:
    """The world that a simulator has loaded."""

    def __init__(self, client, message):
        self._client = client
        self.map_name, self.seed, self.fixed_delta_seconds = message.map, message.seed, message.step
        self.id = message.episode
        self.origin = (message.latitude, message.longitude) if message.HasField("latitude") else None
        self._sensors = []
        self._map = self._library = None
        self._look()

    def _look(self):
        self._snapshot = WorldSnapshot(self._client._call("GetSnapshot", messages.GetSnapshotRequest()))

    def tick(self, steps=1):
        """Moves on; returns the frame once every listening sensor's callback has had its data of it."""
        listening = [sensor for sensor in self._sensors if sensor.is_listening]
        self._snapshot = WorldSnapshot(self._client._call("Step", messages.StepRequest(steps=steps), patience=10))
        for sensor in listening:
            self._wait(sensor, self._snapshot.frame)
        return self._snapshot.frame

    def _wait(self, sensor, frame):
        # Sensors with a period of their own have nothing to send of most frames.
        if getattr(sensor, "_sparse", False):
            return
        with sensor._arrived:
            done = sensor._arrived.wait_for(
                lambda: sensor._frame >= frame or sensor._failure or not sensor.is_listening, _PATIENCE_S
            )
        if sensor._failure:
            raise RuntimeError(f"{sensor} failed: {sensor._failure}") from sensor._failure
        if not done:
            raise TimeoutError(f"{sensor} sent nothing of frame {frame}")

    def get_snapshot(self):
        """The world as of the last tick, spawn or destruction."""
        return self._snapshot

    def get_map(self):
        if self._map is None:
            self._map = Map(self._client)
        return self._map

    def get_blueprint_library(self):
        """Blueprints; each call gives fresh ones, so that attributes set on one stay its own."""
        if self._library is None:
            self._library = self._client._call("ListBlueprints", messages.ListBlueprintsRequest()).blueprints
        return BlueprintLibrary(ActorBlueprint(one) for one in self._library)

    def spawn_actor(self, blueprint, transform, attach_to=None):
        """Puts an actor on the road, or a sensor into the world or onto an actor."""
        if blueprint.id.startswith("sensor."):
            return self._attach(blueprint, transform, attach_to)
        if attach_to is not None:
            raise ValueError("only sensors are attached")
        request = messages.SpawnRequest(
            blueprint=blueprint.id, transform=transform._message(), role=blueprint.role, appearance=blueprint.appearance
        )
        actor = self._client._call("Spawn", request).actor
        self._look()
        return self._actor(actor)

    def try_spawn_actor(self, blueprint, transform, attach_to=None):
        """As `spawn_actor`; `None` if something stands there."""
        from .client import SimulatorError

        try:
            return self.spawn_actor(blueprint, transform, attach_to)
        except SimulatorError as error:
            if error.code.name == "ALREADY_EXISTS":
                return None
            raise

    def _attach(self, blueprint, transform, parent):
        request = messages.AttachSensorRequest(
            blueprint=blueprint.id,
            transform=transform._message(),
            parent=parent.id if parent is not None else 0,
            attributes=dict(blueprint),
        )
        # The first camera builds the scene.
        number = self._client._call("AttachSensor", request, patience=10).sensor
        sensor = Sensor(self, number, blueprint.id, parent)
        sensor._sparse = blueprint.has_attribute("sensor_tick") and float(blueprint.get_attribute("sensor_tick")) > 0
        self._sensors.append(sensor)
        return sensor

    def _forget(self, sensor):
        self._sensors = [one for one in self._sensors if one is not sensor]

    def _actor(self, message):
        kinds = {"vehicle": Vehicle, "walker": Walker}
        return kinds.get(message.type_id.split(".")[0], Actor)(self, message.id, message.type_id)

    def get_actors(self):
        """Everything on the road at the last snapshot, and this client's sensors."""
        return [self._actor(one) for one in self._snapshot] + list(self._sensors)

    def get_actor(self, number):
        return self._actor(self._snapshot._state(number))

    def set_weather(self, weather):
        """Changes light and weather from the next tick on."""
        self._client._call("SetWeather", messages.Weather(**asdict(weather)))

    def get_weather(self):
        weather = self._snapshot._message.weather
        return WeatherParameters(**{name: getattr(weather, name) for name in WeatherParameters.__dataclass_fields__})

    def get_traffic_lights(self):
        found = self._client._call("GetTrafficLights", messages.GetTrafficLightsRequest()).lights
        return [TrafficLight(self, one) for one in found]

    def get_spectator_transform(self, height=60.0):
        """A view from above the middle of the map, for a camera that looks down."""
        points = [transform.location for transform in self.get_map().get_spawn_points()]
        middle = Location(sum(p.x for p in points) / len(points), sum(p.y for p in points) / len(points), height)
        transform = Transform(middle)
        transform.rotation.pitch = -90.0
        return transform

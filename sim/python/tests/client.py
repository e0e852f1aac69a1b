"""What CARLA's users rely on, against a running simulator: `python tests/client.py --port N`."""

import argparse
import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import masa_sim  # noqa: E402


def refused(call, code):
    try:
        call()
    except masa_sim.SimulatorError as error:
        assert error.code.name == code, error
        return
    raise AssertionError(f"{code} was expected")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    client = masa_sim.Client("127.0.0.1", parser.parse_args().port)

    assert "masa" in client.get_available_maps()
    world = client.load_world("masa", seed=5, fixed_delta_seconds=0.05)
    library = world.get_blueprint_library()
    assert {one.id for one in library.filter("walker.*")} >= {"walker.adult", "walker.child"}

    # Two drives with the same seed are the same.
    def drive():
        world = client.load_world("masa", seed=5)
        place = world.get_map().get_spawn_points()[3]
        car = world.spawn_actor(world.get_blueprint_library().find("vehicle.car"), place)
        car.set_autopilot(True)
        path = []
        for _ in range(100):
            world.tick()
            path.append((car.get_location(), car.get_velocity().length()))
        return path

    first = drive()
    assert first == drive() and max(speed for _, speed in first) > 2.0

    # By hand: full throttle, then steering to the right turns clockwise.
    world = client.load_world("masa", seed=5)
    place = world.get_map().get_spawn_points()[0]
    car = world.spawn_actor(world.get_blueprint_library().find("vehicle.car"), place)
    assert world.try_spawn_actor(world.get_blueprint_library().find("vehicle.van"), place) is None
    car.apply_control(masa_sim.VehicleControl(throttle=1.0))
    world.tick(20)
    ahead = place.get_forward_vector()
    moved = car.get_location() - place.location
    assert 1.0 < moved.x * ahead.x + moved.y * ahead.y < 3.0, moved
    car.apply_control(masa_sim.VehicleControl(throttle=0.3, steer=0.5))
    world.tick()
    assert car.get_angular_velocity().z < -1.0
    car.apply_control(masa_sim.VehicleControl(brake=1.0))
    world.tick(60)
    assert car.get_velocity().length() == 0.0

    # A child walks north, a sensor rides along.
    child = world.spawn_actor(world.get_blueprint_library().find("walker.child"),
                              masa_sim.Transform(masa_sim.Location(0.0, 30.0, 0.0)))
    readings = []
    gnss = world.spawn_actor(world.get_blueprint_library().find("sensor.other.gnss"), masa_sim.Transform(), attach_to=child)
    gnss.listen(readings.append)
    child.apply_control(masa_sim.WalkerControl(masa_sim.Vector3D(0.0, 1.0, 0.0), 1.5))
    frames = [world.tick() for _ in range(20)]
    assert [reading.frame for reading in readings] == frames
    north_m = math.radians(readings[-1].latitude - readings[0].latitude) * 6_371_000
    assert abs(north_m - 19 * 0.05 * 1.5) < 0.02, north_m
    refused(lambda: child.set_autopilot(True) if hasattr(child, "set_autopilot") else child._control(autopilot=True),
            "FAILED_PRECONDITION")

    # Lanes lead on.
    here = world.get_map().get_waypoint(place.location)
    there = here.next(10.0)[0]
    assert 9.0 < here.transform.location.distance(there.transform.location) < 10.1
    assert any(abs(back.transform.location.distance(here.transform.location)) < 0.1 for back in there.previous(10.0))
    assert len(world.get_map().get_topology()) > 10

    # Weather and lights change from the next tick on.
    world.set_weather(masa_sim.WeatherParameters.ClearNight)
    light = world.get_traffic_lights()[0]
    light.set_state(masa_sim.TrafficLightState.RedYellow)
    world.tick()
    assert world.get_weather().sun_elevation == -20.0
    light = world.get_traffic_lights()[0]
    assert light.state == masa_sim.TrafficLightState.RedYellow and light.is_frozen()

    gnss.destroy()
    assert car.destroy() and not car.destroy() and not car.is_alive
    refused(lambda: car.apply_control(masa_sim.VehicleControl()), "NOT_FOUND")
    client.close()
    print("all is well")


if __name__ == "__main__":
    main()

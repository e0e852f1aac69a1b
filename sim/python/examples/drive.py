"""A car drives by itself; a camera behind its windscreen writes a picture a second, and what it sees is printed.

    masa sim serve --map masa &
    python sim/python/examples/drive.py --output pictures
"""

import argparse
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import masa_sim  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=2000)
    parser.add_argument("--token")
    parser.add_argument("--map", default="masa")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--others", type=int, default=8, help="other cars that drive by themselves")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("pictures"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    luck = random.Random(options.seed)

    with masa_sim.Client(options.host, options.port, token=options.token) as client:
        world = client.load_world(options.map, seed=options.seed, fixed_delta_seconds=0.05)
        library = world.get_blueprint_library()
        places = world.get_map().get_spawn_points()
        luck.shuffle(places)

        car = world.spawn_actor(library.find("vehicle.car"), places[0])
        car.set_autopilot(True)
        for number, place in enumerate(places[1 : 1 + options.others]):
            blueprint = luck.choice(list(library.filter("vehicle.[cv]a[rn]")))
            blueprint.appearance = number
            other = world.try_spawn_actor(blueprint, place)
            if other is not None:
                other.set_autopilot(True)

        lens = library.find("sensor.camera.rgb")
        lens.set_attribute("boxes", 1)
        on_roof = masa_sim.Transform(masa_sim.Location(x=0.6, z=1.6))
        camera = world.spawn_actor(lens, on_roof, attach_to=car)
        images = []
        camera.listen(images.append)

        every = round(1.0 / world.fixed_delta_seconds)
        for step in range(round(options.seconds / world.fixed_delta_seconds)):
            frame = world.tick()
            image = images.pop()
            assert image.frame == frame == world.get_snapshot().frame
            if step % every == 0:
                image.save_to_disk(options.output / f"{frame:06}.png")
                speed = car.get_velocity().length()
                print(f"frame {frame}: {speed:.1f} m/s, sees {len(image.boxes)}")
                for box in image.boxes:
                    seen = world.get_actor(box.actor_id)
                    away = seen.get_location().distance(car.get_location())
                    print(f"   {box.type_id} {box.actor_id} at {away:.0f} m: "
                          f"{box.left:.0f},{box.top:.0f} to {box.right:.0f},{box.bottom:.0f}, {box.visible:.0%} visible")
        camera.destroy()


if __name__ == "__main__":
    main()

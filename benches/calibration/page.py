"""Drives `masa calibrate page` in a headless browser: clicks points, sees residuals, finds the bad one, saves.

    python page.py --masa target/debug/masa [--data ../shared/data] [--screenshot ../../docs/calibrate.png]

The picture and the five surveyed points are those of OTVision's junction. Points that follow from them are clicked, too, and
one that is 4 m off; it must be named. Fails with the first thing that is not as it should be.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import tomllib
import urllib.error
import urllib.request

import cv2
import numpy as np
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPOILT_M = 4.0


def screen(page, canvas, box, place, upwards):
    """Where a place of the plane is on the screen: what view.js does."""
    area = page.locator(canvas).bounding_box()
    left, low, right, high = box
    scale = 0.94 * min(area["width"] / (right - left), area["height"] / (high - low))
    x = area["x"] + area["width"] / 2 + (place[0] - (left + right) / 2) * scale
    sign = -1 if upwards else 1
    return x, area["y"] + area["height"] / 2 + sign * (place[1] - (low + high) / 2) * scale


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--masa", required=True)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--screenshot", type=pathlib.Path)
    arguments = parser.parse_args()
    data = arguments.data.resolve()
    out = pathlib.Path(tempfile.mkdtemp()) / "north.toml"
    command = [arguments.masa, "calibrate", "page", "--port", "0", "--output", out,
               "--image", data / "percep/images/OTVision_Cars-Cyclist_f10.png",
               "--points", data / "percep/otvision/OTVision_Cars-Cyclist.otrfpts",
               "--site", ROOT / "deploy/sites/otvision-junction/site.toml", "--camera", "north"]
    server = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "MASA_TEST_DATA": str(data)})
    try:
        url = server.stdout.readline().split()[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium" if os.path.exists("/usr/bin/chromium") else None)
            drive(browser.new_page(viewport={"width": 1500, "height": 900}), url, out, arguments)
            browser.close()
        refuses_foreigners(url)
    finally:
        server.terminate()
        server.wait()
    print("the page works")


def drive(page, url, out, arguments):
    # That too few points are refused (422) is an answer, and the browser calls it an error.
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" and "422" not in message.text else None)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    subject = json.loads(urllib.request.urlopen(url + "api/subject").read())
    page.wait_for_selector("#save:not([disabled])")
    assert page.locator("#points tbody tr").count() == 5
    first = page.locator("#words").inner_text()

    pixels = np.array([p["pixel"] for p in subject["points"]])
    grounds = np.array([[p["east_m"], p["north_m"]] for p in subject["points"]])
    mapping, _ = cv2.findHomography(pixels, grounds)
    ground_of = lambda p: cv2.perspectiveTransform(np.array([[p]], float), mapping).ravel()
    box = [0, 0, *subject["image_size_px"]]
    places = [*(c for _, polygon in subject["zones"] for c in polygon), *(c for b in subject["borders_m"] for c in b), *grounds]
    e, n = np.array(places).T
    plan = [e.min() - 5, n.min() - 5, e.max() + 5, n.max() + 5]

    # The first is taken away and clicked again, with others that follow from the five.
    page.locator("#points tbody tr").first.get_by_title("Remove the point").click()
    clicks = [(pixels[0], grounds[0])]
    clicks += [(np.array(p), ground_of(p)) for p in [(150, 300), (480, 260), (560, 430), (300, 400), (420, 150)]]
    clicks.append((np.array([220, 220]), ground_of((220, 220)) + [SPOILT_M, 0]))
    for pixel, ground in clicks:
        page.mouse.click(*screen(page, "#picture", box, pixel, upwards=False))
        page.mouse.click(*screen(page, "#plan", plan, ground, upwards=True))
    page.wait_for_selector("#save:not([disabled])")
    page.wait_for_function("document.querySelectorAll('#points tbody tr.bad').length > 0")
    rows = page.locator("#points tbody tr")
    assert rows.count() == 11, rows.count()
    bad = [page.locator("#points tbody tr.bad input").first.input_value()]
    assert page.locator("#points tbody tr.bad").count() == 1 and bad == ["p12"], bad
    assert page.locator("#points-note").inner_text() == "Left out: p12"
    if arguments.screenshot:
        page.screenshot(path=arguments.screenshot)
    page.click("#save")
    page.wait_for_selector("#banner.good")
    calibration = tomllib.loads(out.read_text())
    points = tomllib.loads(out.with_suffix(".points.toml").read_text())["point"]
    assert len(points) == 11 and calibration["intrinsics"]["image-size-px"] == subject["image_size_px"]
    assert all(request.startswith((url, "data:", "blob:")) for request in asked), asked
    assert not problems, problems
    print(f"with five points:\n{first}\n\nwith eleven, one bad:\n{page.locator('#words').inner_text()}")


def refuses_foreigners(url):
    """Another site's page must not reach this one."""
    for headers, expected in [({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403)]:
        try:
            urllib.request.urlopen(urllib.request.Request(url + "api/subject", headers=headers))
            raise AssertionError(f"{headers} was answered")
        except urllib.error.HTTPError as error:
            assert error.code == expected, (headers, error.code)


if __name__ == "__main__":
    main()

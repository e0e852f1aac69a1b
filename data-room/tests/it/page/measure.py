"""Measures the control-room page: time to the first paint and to the first road users, and frames a second.

measure.py --server target/release/examples/control_room [--streets 14] [--road-users 2000] [--seconds 20]
measure.py --url URL --operator TOKEN                    a data room that runs already

Without a graphics card Chromium draws on the processor, which the data room and the town that feeds it share. What the frames
cost the browser's processes in time on the processor is given too: it says what a machine that does nothing else can draw.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess

from page import browser, open_page

FRAMES = """seconds => new Promise((resolve) => {
    const { map } = masa, gaps = [], begun = performance.now(), drawn = map.frames;
    let last = begun;
    const frame = (now) => {
        gaps.push(now - last);
        last = now;
        if (now - begun < seconds * 1000) requestAnimationFrame(frame);
        else resolve({ frames_per_s: (map.frames - drawn) / ((now - begun) / 1000), gaps, users: map.shown.length, inSight: map.marks.filter(({ isUser }) => isUser).length });
    };
    requestAnimationFrame(frame);
})"""


def browser_cpu_s():
    """Time on the processor of all of Chromium's processes so far, seconds; Linux only."""
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = stat.read_text().rsplit(")", 1)
        except OSError:
            continue
        if "chrom" in name:
            ticks += sum(int(field) for field in rest.split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(url, token, seconds, least, shot):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = browser(playwright)
        paints, moving = [], []
        for _ in range(5):
            # A new context has nothing cached.
            context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
            context.add_init_script(f"sessionStorage.setItem('masa-token', {json.dumps(token)})")
            page = context.new_page()
            page.goto(url)
            page.wait_for_function("() => window.masa?.map.shown.length > 0", timeout=120_000)
            moving.append(page.evaluate("performance.now()"))
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime"))
            context.close()
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        page = context.new_page()
        page.set_default_timeout(120_000)
        open_page(page, url, token)
        page.wait_for_function("least => masa.map.shown.length >= least", arg=least, timeout=120_000)
        before_s = browser_cpu_s()
        found = page.evaluate(FRAMES, seconds)
        cpu_s = browser_cpu_s() - before_s
        if shot:
            page.screenshot(path=shot)
        chromium.close()
    gaps = sorted(found["gaps"][1:])
    return {
        "first_contentful_paint_ms": round(statistics.median(paints)),
        "first_road_users_ms": round(statistics.median(moving)),
        "road_users": found["users"],
        "in_sight": found["inSight"],
        "frames_per_s": round(found["frames_per_s"], 1),
        "cpu_ms_a_frame": round(cpu_s * 1000 / max(found["frames_per_s"] * seconds, 1), 1),
        "frame_ms_p50": round(gaps[len(gaps) // 2], 1),
        "frame_ms_p95": round(gaps[int(len(gaps) * 0.95)], 1),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", help="the example `control_room`, which is started")
    parser.add_argument("--streets", type=int, default=14)
    parser.add_argument("--road-users", type=int, default=2000)
    parser.add_argument("--url")
    parser.add_argument("--operator")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--least", type=int, help="road users to wait for; nine tenths of all")
    parser.add_argument("--shot", help="file for a picture of the page")
    options = parser.parse_args()
    least = options.least if options.least is not None else options.road_users * 9 // 10
    if options.url:
        print(json.dumps(measure(options.url, options.operator, options.seconds, least, options.shot), indent=2))
        return
    server = subprocess.Popen([options.server, str(options.streets), str(options.road_users)], stdout=subprocess.PIPE, text=True)
    try:
        url, token = re.match(r"(\S+) operator=(\S+)", server.stdout.readline()).groups()
        print(json.dumps(measure(url, token, options.seconds, least, options.shot), indent=2))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()

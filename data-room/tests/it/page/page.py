"""Does on the control-room page what an operator does, in a headless browser, and checks what the page shows.

page.py --check                       whether this machine can
page.py --url URL --operator TOKEN --viewer TOKEN --past-ms MS
"""

import argparse
import pathlib
import shutil
import sys
import time

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
PATIENCE_MS = 60_000


def browser(playwright):
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


def open_page(page, url, token, query=""):
    """Opens the page and signs in; without a token it stays at the door."""
    page.goto(f"{url}/{query}")
    if token is not None:
        page.wait_for_selector("#sign-in[open]")
        page.fill("#token", token)
        page.click("#sign-in-form button[type=submit]")
        page.wait_for_selector("#sign-in[open]", state="detached")
        page.wait_for_selector("#link[data-state=live]")


def places(page):
    """Where the road users that are drawn are, by id, metres."""
    return page.evaluate("Object.fromEntries(masa.map.shown.map(({id, e, n}) => [id, [e, n]]))")


def a_wrong_token_is_refused(page, url):
    page.goto(url)
    page.wait_for_selector("#sign-in[open]")
    page.fill("#token", "masa_nonsense")
    page.click("#sign-in-form button[type=submit]")
    page.wait_for_function("() => document.querySelector('#sign-in-words').textContent.length > 0")
    assert page.is_visible("#sign-in"), "the door stays shut"
    assert page.evaluate("typeof masa") == "undefined", "no picture was begun"
    for path in ["live", "scenes?from=0&until=0", "alarms", "messages", "fleet", "map", "session"]:
        status = page.evaluate("path => fetch(`/control-room/${path}`, { headers: { authorization: 'Bearer masa_nonsense' } }).then((answer) => answer.status)", path)
        assert status == 401 or (path == "live" and status in (400, 426)), f"{path}: {status}"
    refused = page.evaluate("""() => new Promise((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/control-room/live`, ["masa.v1", "bearer.masa_nonsense"]);
        socket.onopen = () => resolve(false);
        socket.onerror = () => resolve(true);
    })""")
    assert refused, "a socket with a wrong token is refused"


def the_map_shows_road_users_moving(page):
    page.wait_for_function("() => masa.map.shown.length > 20", timeout=PATIENCE_MS)
    before = places(page)
    page.wait_for_function(
        """before => masa.map.shown.filter(({id, e, n}) => before[id] && Math.hypot(before[id][0] - e, before[id][1] - n) > 3).length > 5""",
        arg=before, timeout=PATIENCE_MS)
    ink = page.evaluate("""() => {
        const { canvas, ratio, shown } = masa.map, c = canvas.getContext("2d");
        return shown.filter(({x, y}) => x > 0 && y > 0 && x < masa.map.width && y < masa.map.height)
            .filter(({x, y}) => c.getImageData(x * ratio, y * ratio, 1, 1).data[3] > 0).length;
    }""")
    assert ink > 10, f"{ink} road users are drawn where they are"
    assert page.locator("#legend li").count() >= 3, "the legend counts the classes"


def the_background_lies_under_the_site_map(page):
    """Grass is not drawn over a background; its one tile has one colour."""
    page.wait_for_function("""() => {
        const { below, ratio, width } = masa.map;
        return below.getContext("2d").getImageData((width - 4) * ratio, 120 * ratio, 1, 1).data.join() === "180,200,160,255";
    }""", timeout=PATIENCE_MS)


def an_alarm_is_acknowledged_assigned_noted_and_audited(page):
    line = page.locator("#alarms .alarm", has_text="Stationary vehicle")
    line.first.wait_for(timeout=PATIENCE_MS)
    assert "not acknowledged" in line.first.inner_text()
    line.first.click()
    assert page.locator("#assign").count() == 0, "nobody is sent before it is acknowledged"
    page.click("#acknowledge")
    page.wait_for_selector(".history li:has-text('acknowledged')")
    page.fill("#assign", "patrol 3")
    page.press("#assign", "Enter")
    page.wait_for_selector(".history li:has-text('patrol 3')")
    page.fill("#note", "lane closed")
    page.press("#note", "Enter")
    page.wait_for_selector(".history li:has-text('lane closed')")
    steps = page.locator(".history li").all_inner_texts()
    assert len(steps) == 4 and all("desk-1" in step for step in steps[1:]), steps
    assert "assigned: patrol 3" in line.first.inner_text()


def the_time_line_shows_the_past(page, past_ms):
    """A moment of the past shows who was there then, and no alarm that came later."""
    at = past_ms + 40_000
    then = page.evaluate("""at => fetch(`/control-room/scenes?from=${at}&until=${at}`, { headers: { authorization: `Bearer ${sessionStorage.getItem("masa-token")}` } })
        .then((answer) => answer.json()).then(([text]) => Object.fromEntries(text.users.map((row) => [row[0], [row[2], row[3]]])))""", at)
    page.evaluate("at => masa.clock.goTo(at)", at)
    page.wait_for_function("() => document.body.classList.contains('past') && masa.map.scene === masa.scenes.past && masa.map.shown.length > 20", timeout=PATIENCE_MS)
    shown = set(places(page))
    assert shown <= set(then) and len(shown) > 20, f"{len(shown)} shown, {len(then)} were there"
    assert page.locator("#alarms .alarm").count() == 0, "the alarm came later"
    assert "Past" in page.inner_text("#when")
    still = places(page)
    page.wait_for_timeout(700)
    assert places(page) == still, "a moment stands still"
    page.click("#play")
    page.wait_for_function(
        """before => masa.map.shown.filter(({id, e, n}) => before[id] && Math.hypot(before[id][0] - e, before[id][1] - n) > 3).length > 3""",
        arg=still, timeout=PATIENCE_MS)
    page.click("#live")
    page.wait_for_selector("#link[data-state=live]")
    assert page.locator("#alarms .alarm").count() >= 1, "back in the present the alarm is there"


def panels_messages_and_periods(page):
    page.wait_for_selector("#panel-traffic td:has-text('Via Emilia')")
    page.wait_for_selector("#panel-parking .parking:has-text('of 24')")
    page.wait_for_selector("#panel-air .measure:has-text('Nitrogen dioxide')")
    page.wait_for_selector("#panel-traffic .curve", state="attached")
    page.click("#tab-1")
    page.click("[data-kind=denm]")
    page.wait_for_selector(".messages button .kind.denm")
    page.locator(".messages button").first.click()
    page.wait_for_selector("pre.code:has-text('vehicleBreakdown91')", timeout=PATIENCE_MS)
    page.click("#tab-2")
    page.wait_for_selector(".notice:has-text('No station sends an anonymised video stream')")
    page.click("#tab-3")
    page.wait_for_selector(".compare-chart .curve.b", state="attached")
    rows = page.locator("#tab-body table:visible tr").all_inner_texts()
    assert any("All places" in row and "%" in row for row in rows), rows
    page.click("#tab-0")


def keys_languages_and_schemes(page, url):
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("5")
    assert page.get_attribute("[data-layer=blind]", "aria-pressed") == "true"
    page.keyboard.press("5")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.wait_for_selector("#inspector:not([hidden]) .history")
    page.keyboard.press("Escape")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != ground, "dark is not light"
    page.click("#theme")
    page.click("#language")
    page.wait_for_selector("#alarms-title:has-text('Allarmi')")
    page.wait_for_selector("#link[data-state=live]")
    assert page.get_attribute("html", "lang") == "it"
    page.click("#language")
    page.wait_for_selector("#alarms-title:has-text('Alarms')")


def a_viewer_sees_no_road_users_and_changes_nothing(context, url, token):
    page = context.new_page()
    open_page(page, url, token)
    page.wait_for_selector("#alarms .alarm", timeout=PATIENCE_MS)
    page.wait_for_function("() => masa.scenes.live.things.size > 5")
    assert page.evaluate("masa.scenes.live.users.size") == 0
    page.locator("#alarms .alarm").first.click()
    page.wait_for_selector(".inspector-body:has-text('may not change alarms')")
    change = "id => fetch(`/control-room/alarms/${id}`, { method: 'POST', headers: { authorization: `Bearer ${sessionStorage.getItem('masa-token')}`, 'content-type': 'application/json' }, body: JSON.stringify({ action: 'note', version: 1, words: 'x' }) }).then((answer) => answer.status)"
    assert page.evaluate(change, page.evaluate("[...masa.scenes.live.alarms.keys()][0]")) == 403
    page.close()


def screens_without_an_operator(context, url, operator):
    wall = context.new_page()
    open_page(wall, url, operator, "?mode=wall&lang=en")
    wall.wait_for_selector(".wall-alarms li:has-text('Stationary vehicle')")
    wall.wait_for_function("() => Number(document.querySelector('.figure b').textContent) > 20")
    wall.close()
    public = context.new_page()
    public.goto(f"{url}/?mode=public&lang=en")
    public.wait_for_selector(".public-line:has-text('free spaces')", timeout=PATIENCE_MS)
    public.wait_for_selector(".public-line:has-text('Stationary vehicle')")
    assert public.evaluate("masa.scenes.live.users.size + masa.scenes.live.alarms.size") == 0, "no single road user is sent"
    for path in ["alarms", "messages", "fleet"]:
        assert public.evaluate("path => fetch(`/control-room/${path}`).then((answer) => answer.status)", path) == 403, path
    public.close()


def walk(options):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = browser(playwright)
        context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        page, troubles = context.new_page(), []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" and "401" not in message.text and "400" not in message.text and "WebSocket" not in message.text else None)
        steps = [
            ("a wrong token is refused", lambda: a_wrong_token_is_refused(page, options.url)),
            ("an operator signs in", lambda: open_page(page, options.url, options.operator)),
            ("the map shows road users moving", lambda: the_map_shows_road_users_moving(page)),
            ("the background lies under the site map", lambda: the_background_lies_under_the_site_map(page)),
            ("an alarm is acknowledged, assigned, noted, audited", lambda: an_alarm_is_acknowledged_assigned_noted_and_audited(page)),
            ("the time line shows the past", lambda: the_time_line_shows_the_past(page, options.past_ms)),
            ("panels, messages, cameras, two periods", lambda: panels_messages_and_periods(page)),
            ("keys, languages, schemes", lambda: keys_languages_and_schemes(page, options.url)),
            ("a viewer sees no road users and changes nothing", lambda: a_viewer_sees_no_road_users_and_changes_nothing(chromium.new_context(locale="en-GB"), options.url, options.viewer)),
            ("screens without an operator", lambda: screens_without_an_operator(chromium.new_context(locale="en-GB"), options.url, options.operator)),
        ]
        for name, step in steps:
            begun = time.monotonic()
            try:
                step()
            except Exception:
                if options.shots:
                    page.screenshot(path=str(pathlib.Path(options.shots) / "failed.png"))
                print(f"FAILED: {name}; the page's own errors: {troubles}", flush=True)
                raise
            print(f"{name}: {time.monotonic() - begun:.1f} s", flush=True)
        assert not troubles, f"errors on the page: {troubles}"
        chromium.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--url")
    parser.add_argument("--operator")
    parser.add_argument("--viewer")
    parser.add_argument("--past-ms", type=int)
    parser.add_argument("--shots", help="folder for a picture of the page where a step fails")
    options = parser.parse_args()
    if options.check:
        import playwright.sync_api  # noqa: F401
        sys.exit(0 if CHROMIUM else 1)
    walk(options)


if __name__ == "__main__":
    main()

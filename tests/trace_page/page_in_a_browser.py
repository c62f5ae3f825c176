#!/usr/bin/env python3
"""The page in a real browser, driven as a person would: by keys, clicks and what can be read on it.

Usage: page_in_a_browser.py <muster-page-scene> <case>. Ends with 0, 1 (a promise is broken) or 77 (no browser here).
"all" runs every case; "measure" prints how long a million events take to open and to pan, and checks nothing.
"""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is
from browser import Browser, find_browser  # noqa: E402

MAKER = ""
FOLDER = ""


def page(scene):
    file = os.path.join(FOLDER, scene + ".html")
    if not os.path.exists(file):
        subprocess.run([MAKER, scene, file], check=True)
    return file


class Broken(Exception):
    pass


def check(holds, promise, found=""):
    if not holds:
        raise Broken(promise + (f"\n  found: {found!r}" if found != "" else ""))


def browser(**options):
    return Browser(find_browser(), **options)


def quiet(b, scene):
    """No errors on the console, nothing asked for but the file itself."""
    check(not b.console, f"{scene}: the console is empty", b.console)
    check(
        [each for each in b.requests if not each.startswith("data:")] == ["file://" + page(scene)],
        f"{scene}: nothing is asked for but the file itself",
        b.requests,
    )


def rows(b):
    return b.texts("#tree .row .label .name")


def row_of(b, name):
    return next((line for line in b.texts("#tree .row") if name in line.split("\n")), "")


def search(b, query):
    b.key("/")
    b.type(query)


def opens_quietly(b):
    b.open(page("shop"))
    check(b.text("#program") == "shop", "the program's name is the heading", b.text("#program"))
    check(b.run("document.title") == "shop · muster-trace", "and the title", b.run("document.title"))
    check(rows(b)[0] == "shop", "the tree begins with the manager", rows(b)[:3])
    for view in ("timeline", "waits", "restarts", "plots", "tree"):
        b.click("#tab-" + view)
        check(b.run(f"!document.getElementById('view-{view}').hidden"), f"the {view} view can be opened")
    check("failed" in b.text("#totals"), "the totals tell how many failed", b.text("#totals"))
    quiet(b, "shop")


def search_finds_the_failed_task(b):
    b.open(page("shop"))
    search(b, "declined")
    results = b.texts("#results [role=option]")
    check(
        any("charge" in each and "card declined" in each for each in results),
        "search finds the task by its error",
        results,
    )
    b.key("Escape")
    search(b, "charge failed")
    check(
        "charge" in b.texts("#results [role=option]")[0],
        "and by its name and state",
        b.texts("#results [role=option]")[:2],
    )
    b.key("Enter")
    check(b.text("#details-name") == "charge", "Enter chooses the first result", b.text("#details-name"))
    check(
        b.text("#details .path") == "shop/orders/order-6/checkout/charge",
        "which is the one of order 6",
        b.text("#details .path"),
    )
    check("card declined" in b.text("#verdict"), "its verdict names the cause", b.text("#verdict"))
    chain = b.texts("#chain li")
    check("shop was made" in chain[0].replace("\n", " "), "the chain begins at the root", chain)
    check("charge failed" in chain[-1].replace("\n", " "), "and ends at the failure", chain)
    check("asked to stop" in b.text("#effects"), "what came of it is listed", b.text("#effects"))
    check(
        b.run("document.querySelector('#tree .row[aria-selected=true] .label .name')?.innerText") == "charge",
        "the row is in sight, though it was folded away",
    )

    search(b, "receipt skipped")
    b.key("Enter")
    check(
        "charge failed" in b.text("#chain").replace("\n", " "),
        "who was skipped is told whose failure that was",
        b.text("#chain"),
    )
    search(b, "reporting")
    b.key("Enter")
    check("gave up" in b.text("#verdict"), "a supervisor's verdict says that it gave up", b.text("#verdict"))
    search(b, "nobody has this name")
    check("Nothing of that name" in b.text("#results"), "what is not there is said not to be", b.text("#results"))
    quiet(b, "shop")


def scrubber_changes_the_tree(b):
    b.resize(1280, 2600)  # so that every row is in sight
    b.open(page("shop"))
    check("night shift" in rows(b), "at the end the night shift is there", rows(b))
    end = b.text("#moment")
    b.click("#scrubber", across=0.15)
    check("night shift" not in rows(b), "early on it is not", rows(b))
    check(b.text("#moment") != end, "the moment is shown", b.text("#moment"))
    check("open" in row_of(b, "orders"), "the scope of the orders is open then", row_of(b, "orders"))
    b.click("#scrubber", across=0.7)
    check("failed" in row_of(b, "orders"), "and has failed later", row_of(b, "orders"))
    b.click("#scrubber", across=0.5)
    before = b.text("#moment-event")
    b.key(".")
    check(b.text("#moment-event") != before, "the moment goes on by single events", b.text("#moment-event"))
    b.key(",")
    check(b.text("#moment-event") == before, "and back", b.text("#moment-event"))
    b.key("Home")
    b.run("document.activeElement.blur()")
    b.key("Home")
    check(rows(b) == ["shop"], "at the first event there is only the manager", rows(b))
    b.click("#to-failure")
    check(
        "failed" in b.text("#details").lower() or "ended" in b.text("#verdict"),
        "the next failure is gone to",
        b.text("#verdict"),
    )
    b.click("#to-end")
    check(b.text("#moment") == end, "and the end", b.text("#moment"))
    said = b.run("document.getElementById('scrubber').getAttribute('aria-valuetext')")
    check(end in said, "which the slider also says", said)
    quiet(b, "shop")


def folds_and_unfolds(b):
    b.open(page("crowd"))
    fold = next(line for line in b.texts("#tree .row") if "worker" in line and "×" in line)
    check("×" in fold, "siblings of one name are one row with their number", fold)
    check(b.run("document.querySelectorAll('#tree .row').length") < 60, "only rows in sight are in the document")
    workers = b.run(
        "[...document.querySelectorAll('#tree .row')].find(each => each.innerText.includes('worker')"
        " && each.querySelector('.times')).id"
    )
    b.click("#" + workers)
    check("the slowest" in b.text("#details"), "a fold tells how long its members took", b.text("#details"))
    count = int(b.text("#tree-said").split()[0].replace(",", ""))
    b.key("ArrowRight")
    more = int(b.text("#tree-said").split()[0].replace(",", ""))
    check(more > count, "it opens", (count, more))
    b.key("ArrowLeft")
    check(int(b.text("#tree-said").split()[0].replace(",", "")) == count, "and closes")
    b.click("[data-filter=failed]")
    failed = b.texts("#tree .row")
    check(
        failed and all("failed" in each or "open" in each or "bad" in each or "batch" in each for each in failed),
        "with the filter there is only what failed, and what is above it",
        failed,
    )
    quiet(b, "crowd")


def timeline_zooms_and_pans(b):
    b.open(page("shop"))
    b.click("#tab-timeline")
    left, top, width, height = b.box("#timeline")
    window = "[timeline.from, timeline.to]"
    fit = b.run(window)
    b.wheel(left + width * 0.6, top + 200, -400)
    near = b.run(window)
    check(near[1] - near[0] < fit[1] - fit[0], "the wheel zooms in", (fit, near))
    b.drag(left + width * 0.7, top + 300, left + width * 0.5, top + 300)
    panned = b.run(window)
    check(
        panned[0] > near[0] and abs((panned[1] - panned[0]) - (near[1] - near[0])) < 1, "dragging pans", (near, panned)
    )
    b.key("ArrowLeft")
    check(b.run(window)[0] < panned[0], "so do the arrows", b.run(window))
    b.key("0")
    check(b.run(window) == fit, "0 shows everything again", b.run(window))
    b.key("+")
    check(b.run(window)[1] - b.run(window)[0] < fit[1] - fit[0], "+ zooms in")
    b.key("-", 3)
    check(b.run(window)[1] - b.run(window)[0] > fit[1] - fit[0], "- zooms out")
    b.key("0")
    b.key("ArrowDown", 3)
    check(b.text("#details-name") != "", "rows can be chosen by key", b.text("#details-name"))
    b.click_at(left + 150, top + 24 + 22 * 0.5)
    check(b.text("#details-name") == "shop", "and by a click", b.text("#details-name"))

    def ink():
        return b.run(
            "[...document.getElementById('timeline').toDataURL()]"
            ".reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 1000003, 7)"
        )

    search(b, "charge failed")
    b.key("Enter")
    b.key("0")
    with_arrows = ink()
    b.run("drawArrows = () => {}, app.redraw()")
    b.settle()
    check(ink() != with_arrows, "the chosen task has arrows")
    quiet(b, "shop")


def waits_and_circles(b):
    b.open(page("shop"))
    b.key("3")
    said = b.text("#view-waits")
    check("clean up" in said and "connections" in said and "a lease" in said, "who waits for a lease is listed", said)
    check("close the books" in said, "and who waits for others to end well", said)
    check("circle" not in said, "without a circle none is named", said)
    quiet(b, "shop")
    b.open(page("circle"))
    b.key("3")
    said = b.text("#view-waits")
    check("A circle" in said, "a circle is marked", said)
    circle = b.text(".card.bad")
    check(
        "philosopher-3" in circle and "philosopher-4" in circle and "philosopher-5" not in circle,
        "with those who are in it and nobody else",
        circle,
    )
    b.key("Home")
    b.settle()
    check("A circle" not in b.text("#view-waits"), "before they waited there was none", b.text("#view-waits"))
    quiet(b, "circle")


def restarts_and_plots(b):
    b.open(page("shop"))
    b.key("4")
    cards = b.texts("#view-restarts .card")
    reporting = next(card for card in cards if card.startswith("reporting"))
    check(
        "at most 3 in 5 s" in reporting and "gave up" in reporting,
        "the limit is shown, and that it was passed",
        reporting,
    )
    helpers = next(card for card in cards if card.startswith("helpers"))
    check(
        "mailer" in helpers and "at most 5 in 10 s" in helpers and "gave up" not in helpers,
        "others stayed within theirs",
        helpers,
    )
    b.key("5")
    check("124 tasks" in b.text("#view-plots .lead"), "the plots are of all tasks", b.text("#view-plots .lead"))
    b.key("1")
    search(b, "order-6")
    b.key("Enter")
    search(b, "checkout")
    b.key("Enter")
    b.key("5")
    check("4 tasks" in b.text("#view-plots .lead"), "or of those of the chosen scope", b.text("#view-plots .lead"))
    quiet(b, "shop")


def everything_by_keyboard(b):
    b.open(page("shop"))
    b.key("?")
    check(b.run("document.getElementById('help').open"), "? shows the keys")
    b.key("Escape")
    check(not b.run("document.getElementById('help').open"), "Esc closes them")
    b.key("ArrowDown", 2)
    check(b.text("#details-name") != "", "the arrows choose rows", b.text("#details-name"))
    b.key("Home")
    check(b.text("#details-name") == "shop", "Home goes to the first", b.text("#details-name"))
    many = len(rows(b))
    b.key("ArrowLeft")
    check(rows(b) == ["shop"], "left closes a row", rows(b))
    b.key("ArrowRight")
    check(len(rows(b)) == many, "right opens it", len(rows(b)))
    b.key("End")
    b.key("u")
    check(b.text("#details-name") == "night shift", "u goes to the parent", b.text("#details-name"))
    b.key("Enter")
    check(
        b.run("document.activeElement.id") == "details", "Enter goes to the panel", b.run("document.activeElement.id")
    )
    b.key("Escape")
    check(b.run("document.activeElement.id") == "tree", "and Esc back", b.run("document.activeElement.id"))
    b.key("f")
    check(b.text("#verdict") != "", "f goes to a failure and says why", b.text("#verdict"))
    b.key("a", 2)
    check(b.run("document.querySelector('[data-filter=failed]').getAttribute('aria-checked')") == "true", "a filters")
    b.key("a")
    nameless = b.run(
        "[...document.querySelectorAll('button, input, canvas, [role]')].filter(each => !each.closest('[hidden]') &&"
        " !(each.getAttribute('aria-label') || each.innerText.trim() || each.title"
        " || each.getAttribute('aria-labelledby') || ['live', 'banner'].includes(each.id)))"
            ".map(each => each.outerHTML.slice(0, 80))"
    )
    check(nameless == [], "whatever can be used has a name", nameless)
    quiet(b, "shop")


def names_break_nothing(b):
    b.resize(1280, 1600)
    b.open(page("hostile"))
    for view in ("timeline", "waits", "restarts", "plots", "tree"):
        b.click("#tab-" + view)
    for query in ("<", "broken", "\\", "right", "x"):
        search(b, query)
        b.key("Enter")
    for _ in range(12):
        b.key("ArrowDown")
    b.click("#to-failure")
    check(b.run("window.broken === undefined"), "nothing of the trace has run", b.run("String(window.broken)"))
    check(b.run("document.querySelectorAll('script').length") == 1, "no script was added")
    check(
        b.run("document.querySelectorAll('img, svg[onload], textarea, #tree b').length") == 0,
        "no element came of a name",
    )
    b.click("#to-end")
    text = b.run("document.body.innerText")
    check("<script>window.broken=3</script>" in text, "names are shown as they are", text[:300])
    check("‹202E›" in text and "\u202e" not in text, "what turns the direction is shown by number")
    check("‹0001›" in text and "\x1b" not in text, "so are control characters")
    check("bad \ufffd" in text, "what is no UTF-8 is shown as U+FFFD")
    quiet(b, "hostile")


def light_and_dark(b):
    paper = "getComputedStyle(document.body).backgroundColor"
    b.open(page("shop"))
    light = b.run(paper)
    b.set_dark(True)
    b.settle()
    dark = b.run(paper)
    check(light != dark, "the page follows the system's choice", (light, dark))
    b.key("d")
    check(b.run(paper) == light, "and can be switched", b.run(paper))
    b.set_dark(False)
    b.settle()
    b.click("#theme")
    check(b.run(paper) == dark, "both ways", b.run(paper))
    contrast = b.run(
        """(() => {
      const parse = c => c.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const linear = v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
      const light = c => parse(c).map(linear).reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
      const style = getComputedStyle(document.querySelector('#details .quiet, .quiet'));
      const a = light(style.color), b = light(getComputedStyle(document.body).backgroundColor);
      return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); })()"""
    )
    check(contrast >= 4.5, "quiet text can be read", contrast)
    quiet(b, "shop")


def odd_traces_open(b):
    b.open(page("empty"))
    check("Nothing to show" in b.text("#tree-said"), "an empty trace says so", b.text("#tree-said"))
    for view in ("timeline", "waits", "restarts", "plots", "tree"):
        b.click("#tab-" + view)
    for key in ("f", ".", ",", "]", "ArrowDown", "Enter", "End"):
        b.key(key)
    quiet(b, "empty")
    b.open(page("middle"))
    check("69,990 events" in b.text("#banner"), "what was lost is said", b.text("#banner"))
    names = rows(b)
    check(names[0] == "site" and "orders" in names and "mailer" in names, "what the snapshot knew is there", names)
    check("1,200 tasks" in b.text("#tree"), "tasks that were only counted are a row", b.text("#tree"))
    search(b, "mailer")
    b.key("Enter")
    check("5" in row_of(b, "mailer"), "restarts are counted on from the snapshot", row_of(b, "mailer"))
    check("no longer kept" in b.text("#chain"), "a chain that is cut says where", b.text("#chain"))
    quiet(b, "middle")


def a_million_events(b):
    b.open(page("million"))
    check("1,000,021 events" in b.text("#process"), "all are there", b.text("#process"))
    check(
        b.run("document.querySelectorAll('*').length") < 1500,
        "the document stays small",
        b.run("document.querySelectorAll('*').length"),
    )
    columns = b.run(
        "Object.values(trace).every(each => typeof each !== 'object' || ArrayBuffer.isView(each)"
        " || each === trace.header || each === trace.texts)"
    )
    check(columns, "events are columns of numbers, and no objects")
    search(b, "crane")
    check(
        "worker" in b.texts("#results [role=option]")[0],
        "search finds one that failed",
        b.texts("#results [role=option]")[:1],
    )
    b.key("Enter")
    check("the crane is out of order" in b.text("#verdict"), "and why", b.text("#verdict"))
    b.key("2")
    # What one frame costs is what is on the screen: marks on the canvas are counted while panning.
    b.run(
        """(() => { const pen = timeline.canvas.getContext('2d'); window.strokes = 0;
      for (const name of ['fillRect', 'rect', 'fill', 'stroke', 'fillText', 'roundRect', 'measureText']) {
        const real = pen[name].bind(pen); pen[name] = (...all) => { ++window.strokes; return real(...all); }; } })()"""
    )
    b.key("ArrowRight", 3)
    strokes = b.run("window.strokes")
    check(0 < strokes < 3 * 60000, "panning draws what is in sight, not what there is", strokes)
    quiet(b, "million")


def measure():
    """Times on the clock depend on what else the machine does, so those of the page's own thread stand beside them."""

    def cpu(b):
        return {each["name"]: each["value"] for each in b.call("Performance.getMetrics")["metrics"]}[
            "TaskDuration"
        ] * 1000

    for _ in range(3):
        with browser() as b:
            b.call("Performance.enable", timeDomain="threadTicks")
            figures = b.open(page("million")).split()
            print(
                f"a million events: shown after {figures[3]} ms ({figures[0]} to parse the file, until {figures[1]} to"
                f" unpack, {figures[2]} to index); {cpu(b):.0f} ms of work on the page's thread",
                flush=True,
            )
            b.key("2")
            b.run("zoomTimeline(.2)")
            before = cpu(b)
            frames = b.run(
                """new Promise(done => { const times = []; let last = performance.now(), n = 0;
              const step = now => { times.push(now - last); last = now; panTimeline(n % 40 < 20 ? .02 : -.02);
                if (++n < 120) requestAnimationFrame(step); else { times.sort((a, b) => a - b); done(times[60]); } };
              requestAnimationFrame(step); })"""
            )
            panning = (cpu(b) - before) / 120
            before = cpu(b)
            b.run(
                "new Promise(done => { let n = 0; const step = () => { app.goToTime(trace.end * ++n / 60);"
                " if (n < 60) requestAnimationFrame(step); else done(); }; requestAnimationFrame(step); })"
            )
            print(
                f"  panning: {frames:.1f} ms a frame in the median, {panning:.1f} ms of work each;"
                f" moving the scrubber: {(cpu(b) - before) / 60:.1f} ms of work a frame",
                flush=True,
            )


CASES = [
    opens_quietly,
    search_finds_the_failed_task,
    scrubber_changes_the_tree,
    folds_and_unfolds,
    timeline_zooms_and_pans,
    waits_and_circles,
    restarts_and_plots,
    everything_by_keyboard,
    names_break_nothing,
    light_and_dark,
    odd_traces_open,
    a_million_events,
]


def main():
    global MAKER, FOLDER
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    MAKER = sys.argv[1]
    if not find_browser():
        print("skipped: there is no chromium here; apt-get install chromium, or name one in $CHROMIUM")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = folder
        if sys.argv[2] == "measure":
            measure()
            return
        chosen = [case for case in CASES if sys.argv[2] in (case.__name__, "all")]
        if not chosen:
            sys.exit(f"there is no case {sys.argv[2]}")
        broken = 0
        for case in chosen:
            try:
                with browser() as b:
                    case(b)
                print(f"{case.__name__}: holds", flush=True)
            except Broken as promise:
                broken += 1
                print(f"{case.__name__}: BROKEN: {promise}", flush=True)
        sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()

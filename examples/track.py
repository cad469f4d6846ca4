#!/usr/bin/env python3
"""A server's side of clicktrail, with nothing but the standard library.

    CLICKTRAIL_URL=http://127.0.0.1:8787 CLICKTRAIL_KEY=dev python3 examples/track.py

makes a link, sends three events in one batch, sends them again as after a lost answer, and prints what is counted.
"""

import datetime
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

URL = os.environ.get("CLICKTRAIL_URL", "http://127.0.0.1:8787")
KEY = os.environ.get("CLICKTRAIL_KEY", "dev")


def ask(method, path, body=None, tries=5):
    """The answer's JSON. What may pass is asked again: a repeated event is a duplicate and counts once."""
    request = urllib.request.Request(URL + path, method=method, headers={"authorization": f"Bearer {KEY}"})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("content-type", "application/json")
    for attempt in range(1, tries + 1):
        wait = 2**attempt
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from None
            wait = float(error.headers.get("retry-after", wait))
        except OSError as error:
            print(f"{path}: {error}", file=sys.stderr)
        if attempt < tries:
            time.sleep(wait)
    raise SystemExit(f"{method} {path}: no answer after {tries} tries")


def event(kind, **fields):
    """Made once, before the first try: the id is what makes a repetition one."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"kind": kind, "event_id": str(uuid.uuid4()), "event_time": now.isoformat(), **fields}


def send(events):
    """Up to 500 events in a request. Those that the service could not take yet are sent again."""
    while events:
        results = ask("POST", "/events", {"events": events})["results"]
        for result in results:
            if result["status"] == "invalid":
                print(f"{result.get('event_id')}: {result['errors']}", file=sys.stderr)
        events = [one for one, result in zip(events, results) if result["status"] == "retry"]
        if events:
            time.sleep(1)


def main():
    campaign = f"python-{uuid.uuid4().hex[:8]}"
    link = ask("POST", "/api/links", {"token": campaign, "url": "https://example.com/", "campaign_id": campaign})
    print("link", link["short_url"])

    shop = {"page_url": "https://shop.example/checkout", "campaign_id": campaign, "user_id": "u-1017"}
    events = [event("click", **shop), event("page", **shop), event("conversion", value=49.90, currency="EUR", **shop)]
    send(events)
    send(events)

    counted = {}
    for _ in range(60):
        counted = ask("GET", f"/stats/clicks?campaign_id={campaign}&include_bots=true")["totals"]
        if counted["clicks"] and counted["conversions"] and counted["duplicates"]:
            break
        time.sleep(0.5)
    print(json.dumps({name: counted[name] for name in ("clicks", "duplicates", "conversions", "revenue")}))


if __name__ == "__main__":
    main()

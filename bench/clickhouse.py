"""ClickHouse, embedded in Python (chdb): loads log files, and searches them for a name. It measures itself; the bench runs it."""

import json
import statistics
import sys
import time

from chdb.session import Session

trail, folder, name = sys.argv[1:]
database = Session(folder)

RECORDS = f"""select arrayJoin(JSONExtractArrayRaw(json, 'Records')) as record
    from file('{trail}/**/*_CloudTrail_*.json.gz', 'JSONAsString', 'json String')"""
COLUMNS = """JSONExtractString(record, 'eventTime') as eventtime, JSONExtractString(record, 'eventID') as eventid,
    JSONExtractString(record, 'eventSource') as eventsource, JSONExtractString(record, 'eventName') as eventname,
    JSONExtractString(record, 'userIdentity', 'arn') as arn, JSONExtractString(record, 'sourceIPAddress') as sourceipaddress,
    JSONExtractString(record, 'errorCode') as errorcode, record"""


def search(relation):
    """The number of events with the name in their record, which are read newest first."""
    rows = database.query(f"select * from {relation} where position(record, '{name}') > 0 order by eventtime desc, eventid", "JSONEachRow").bytes()
    return len({json.loads(row)["eventid"] for row in rows.splitlines()})


def timed(work):
    """The time of work in milliseconds."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def load():
    database.query("create database trail engine = Atomic")
    database.query(f"create table trail.events engine = MergeTree order by eventtime as select {COLUMNS} from ({RECORDS})")


loaded = timed(load)
found = search("trail.events")
scan = statistics.median(timed(lambda: search("trail.events")) for _ in range(5))
raw = timed(lambda: search(f"(select {COLUMNS} from ({RECORDS}))"))
print(json.dumps({"load": loaded, "scan": scan, "raw": raw, "found": found}))

/**
 * A program for Python 3.9 and newer, without anything to install, that takes one savepoint as a schedule does: of the one running job of a name, under
 * a trigger id made of the minute, so that a repeated start takes no second one, and followed to its end. What it needs comes from the environment.
 */
export const savepointScript = `import base64, datetime, hashlib, json, os, sys, time, urllib.error, urllib.request, zoneinfo

url = os.environ["FLINK_URL"].rstrip("/")
job_name = os.environ["FLINK_JOB"]
zone = zoneinfo.ZoneInfo(os.environ.get("SCHEDULE_ZONE", "UTC"))
authorization = None
if os.environ.get("FLINK_TOKEN"):
    authorization = "Bearer " + os.environ["FLINK_TOKEN"]
elif os.environ.get("FLINK_USER"):
    pair = os.environ["FLINK_USER"] + ":" + os.environ.get("FLINK_PASSWORD", "")
    authorization = "Basic " + base64.b64encode(pair.encode()).decode()

def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)
    if authorization:
        # Not for where a proxy redirects to.
        request.add_unredirected_header("Authorization", authorization)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)

def skip(why):
    print("skipped: " + why)
    sys.exit(0)

def in_blackout(now):
    for each in json.loads(os.environ.get("SCHEDULE_BLACKOUTS", "[]")):
        if "firstDay" in each:
            if each["firstDay"] <= now.date().isoformat() <= each["lastDay"]:
                return True
            continue
        first, last, clock = each["from"], each["to"], now.strftime("%H:%M")
        days = each.get("days", [1, 2, 3, 4, 5, 6, 7])
        before = 7 if now.isoweekday() == 1 else now.isoweekday() - 1
        if first < last:
            if first <= clock < last and now.isoweekday() in days:
                return True
        elif (clock >= first and now.isoweekday() in days) or (clock < last and before in days):
            return True
    return False

now = datetime.datetime.now(zone)
if in_blackout(now):
    skip("blackout")
minute = os.environ.get("SCHEDULE_MINUTE") or now.strftime("%Y-%m-%dT%H:%M")

def running_job():
    # Right after a start tasks are still deploying, and Flink would refuse.
    for patience in range(31):
        jobs = [job for job in ask("GET", "/jobs/overview")["jobs"] if job["name"] == job_name and job["state"] not in ("FINISHED", "CANCELED", "FAILED")]
        if len(jobs) != 1 or jobs[0]["state"] != "RUNNING":
            skip("%d jobs named %s: %s" % (len(jobs), job_name, ", ".join(job["state"] for job in jobs)))
        if jobs[0]["tasks"]["running"] == jobs[0]["tasks"]["total"]:
            break
        time.sleep(2)
    return jobs[0]["jid"]

def take(job, attempt):
    """The location, or None and why not when Flink says that there is none."""
    trigger = hashlib.md5(json.dumps([url, job, minute, attempt]).encode()).hexdigest()
    body = {"formatType": os.environ.get("SAVEPOINT_FORMAT", "CANONICAL"), "triggerId": trigger, "cancel-job": False}
    if os.environ.get("SAVEPOINT_DIRECTORY"):
        body["target-directory"] = os.environ["SAVEPOINT_DIRECTORY"]
    for patience in range(5):
        try:
            ask("POST", "/jobs/%s/savepoints" % job, body)
            break
        except urllib.error.HTTPError as error:
            return None, "Flink refused: %s %s" % (error.code, error.read().decode(errors="replace")[:500])
        except OSError as error:
            # The same trigger id again takes no second savepoint.
            if patience == 4:
                sys.exit("no answer: %s" % error)
            time.sleep(2)
    while True:
        try:
            answer = ask("GET", "/jobs/%s/savepoints/%s" % (job, trigger))
        except urllib.error.HTTPError as error:
            sys.exit("what became of savepoint %s is not known: %s" % (trigger, error.code))
        except OSError:
            time.sleep(5)
            continue
        if answer["status"]["id"] == "COMPLETED":
            operation = answer["operation"] or {}
            if "location" in operation:
                return operation["location"], ""
            return None, "failed: %s" % json.dumps(operation.get("failure-cause"))[:2000]
        time.sleep(2)

retries = int(os.environ.get("SCHEDULE_RETRIES", "0"))
for attempt in range(retries + 1):
    location, why = take(running_job(), attempt)
    if location:
        print(location)
        sys.exit(0)
    print(why, file=sys.stderr)
    if attempt < retries:
        time.sleep(60 * 2 ** attempt)
sys.exit("given up after %d attempts" % (retries + 1))
`;

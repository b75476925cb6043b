#!/usr/bin/python3
"""A member of a corosync process group, for the messaging benchmark: commands and answers are lines of JSON.

Calls libcpg through ctypes; nothing of corosync's is compiled. The counterpart of node.ts."""
import ctypes, json, os, select, sys, time

cpg = ctypes.CDLL("libcpg.so.4")


class Name(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint32), ("value", ctypes.c_char * 128)]


class Address(ctypes.Structure):
    _fields_ = [("nodeid", ctypes.c_uint32), ("pid", ctypes.c_uint32), ("reason", ctypes.c_uint32)]


class IOVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


DELIVER = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.POINTER(Name), ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t)
CHANGE = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.POINTER(Name), ctypes.POINTER(Address), ctypes.c_size_t,
                          ctypes.POINTER(Address), ctypes.c_size_t, ctypes.POINTER(Address), ctypes.c_size_t)


class Callbacks(ctypes.Structure):
    _fields_ = [("deliver", DELIVER), ("change", CHANGE)]


def say(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


run = None
pid = os.getpid()
handle = ctypes.c_uint64()
AGREED, TRY_AGAIN, DISPATCH_ALL, OK = 2, 6, 2, 1


def deliver(_handle, _group, _node, sender, _message, _length):
    global run
    if run is None or sender != pid:
        return
    run["latencies"].append((time.perf_counter() - run["sent"].pop(0)) * 1000)
    if len(run["latencies"]) == run["count"]:
        say({"done": True, "ms": (time.perf_counter() - run["begin"]) * 1000, "latencies": run["latencies"]})
        run = None


def change(_handle, _group, members, count, _left, _left_count, _joined, _joined_count):
    say({"view": [members[i].nodeid for i in range(count)], "at": int(time.time() * 1000)})


callbacks = Callbacks(DELIVER(deliver), CHANGE(change))
group = Name(5, b"bench")
while cpg.cpg_initialize(ctypes.byref(handle), ctypes.byref(callbacks)) != OK:
    time.sleep(0.1)
while cpg.cpg_join(handle, ctypes.byref(group)) != OK:
    time.sleep(0.1)
fd = ctypes.c_int()
cpg.cpg_fd_get(handle, ctypes.byref(fd))

while True:
    readable, _, _ = select.select([fd.value, sys.stdin], [], [])
    if fd.value in readable:
        cpg.cpg_dispatch(handle, DISPATCH_ALL)
    if sys.stdin in readable:
        line = sys.stdin.readline()
        if not line:
            break
        order = json.loads(line)
        body = ctypes.create_string_buffer(b"x" * order["bytes"], order["bytes"])
        vector = IOVec(ctypes.cast(body, ctypes.c_void_p), order["bytes"])
        run = {"count": order["count"], "latencies": [], "sent": [], "begin": time.perf_counter(), "left": order["count"], "window": order["window"]}
    while run is not None and run["left"] > 0 and len(run["sent"]) < run["window"]:
        run["sent"].append(time.perf_counter())
        if cpg.cpg_mcast_joined(handle, AGREED, ctypes.byref(vector), 1) == TRY_AGAIN:
            run["sent"].pop()
            break
        run["left"] -= 1

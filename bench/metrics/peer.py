# The same measures by the programs that papers use: the Frechet distance by numpy.cov and scipy.linalg.sqrtm, as pytorch-fid computes it,
# and precision, recall, density and coverage by the package prdc. Reads one question as JSON, writes a line for each measure.
import contextlib
import json
import resource
import sys
import time

import numpy as np
import scipy.linalg


def fid(real, generated):
    m1, m2 = real.mean(axis=0), generated.mean(axis=0)
    s1, s2 = np.cov(real, rowvar=False), np.cov(generated, rowvar=False)
    root = np.real(scipy.linalg.sqrtm(s1 @ s2))
    return [float(np.sum((m1 - m2) ** 2) + np.trace(s1) + np.trace(s2) - 2 * np.trace(root))]


def prdc_of(k):
    def measure(real, generated):
        from prdc import compute_prdc

        found = compute_prdc(real, generated, k)
        return [float(found[name]) for name in ("precision", "recall", "density", "coverage")]

    return measure


MEASURES = {"fid": fid, "prdc-3": prdc_of(3), "prdc-5": prdc_of(5)}


def cpu_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


question = json.loads(sys.argv[1])
sets = [np.fromfile(file, dtype=np.float32).reshape(-1, question["width"]) for file in question["files"]]
for measure in question["measures"]:
    name, count = measure["name"], measure["count"]
    if name not in MEASURES:
        continue
    # Both programs compute in the type of the features; those of pytorch-fid are float64 by then.
    real, generated = (rows[:count].astype(np.float64) for rows in sets)
    cpu, start = cpu_seconds(), time.perf_counter()
    # prdc prints what it does.
    with contextlib.redirect_stdout(sys.stderr):
        values = MEASURES[name](real, generated)
    answer = {
        "name": name,
        "count": count,
        "values": values,
        "seconds": time.perf_counter() - start,
        "cpuSeconds": cpu_seconds() - cpu,
        "peakBytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        "addedBytes": None,
        "what": f"numpy {np.__version__}, scipy {scipy.__version__}",
    }
    print(json.dumps(answer), flush=True)

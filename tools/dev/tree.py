"""What the check-* scripts share: which files the tree has, and how findings are reported."""
import os, re, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE_DIRS = ("lib", "dbd", "northd", "controller", "switchd", "tools", "schemas", "tests")


def sources(suffixes=(".c", ".h"), dirs=SOURCE_DIRS):
    """Paths, relative to the root, of the C files of the tree in a stable order."""
    found = []
    for top in dirs:
        for base, subdirs, files in os.walk(os.path.join(ROOT, top)):
            subdirs.sort()
            found += [os.path.relpath(os.path.join(base, f), ROOT) for f in sorted(files) if f.endswith(suffixes)]
    return found


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def run(args, **kw):
    return subprocess.run(args, cwd=ROOT, text=True, capture_output=True, **kw)


def layers(build):
    """The declared modules: {name: (folder, set of direct dependencies)} from BUILD/layers.txt."""
    modules = {}
    with open(os.path.join(build, "layers.txt"), encoding="utf-8") as f:
        for line in f:
            parts = line.split()
            if parts:
                deps = parts[2].split(",") if len(parts) > 2 else []
                modules[parts[1]] = (parts[0], set(d for d in deps if d))
    return modules


def closure(modules, name, seen=None):
    """NAME and all that it may use."""
    seen = set() if seen is None else seen
    if name not in seen and name in modules:
        seen.add(name)
        for d in modules[name][1]:
            closure(modules, d, seen)
    return seen


def includes(text):
    """The files named in #include "..." lines."""
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, re.M)


def done(name, problems, checked):
    """Prints the findings and ends the program."""
    for p in problems:
        print(p)
    print("%s: %d checked, %d problem%s" % (name, checked, len(problems), "" if len(problems) == 1 else "s"))
    sys.exit(1 if problems else 0)

"""The programs of a container's shell."""

from __future__ import annotations

import posixpath
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.objects.quantity import value

if TYPE_CHECKING:
    from sandbox.kubelet.shell import Shell

Answer = tuple[str, str, int]
Command = Callable[["Shell", list[str], str], Answer]


def is_folder(shell: Shell, path: str) -> bool:
    """Whether a path is a folder."""
    return path == "/" or any(name.startswith(path + "/") for name in shell.files)


def _entries(shell: Shell, path: str) -> list[str]:
    prefix = path.rstrip("/") + "/"
    return sorted({name[len(prefix) :].split("/", 1)[0] for name in shell.files if name.startswith(prefix)} - {""})


def _options(arguments: list[str]) -> tuple[set[str], list[str]]:
    flags = {letter for word in arguments if word.startswith("-") and word != "-" for letter in word.lstrip("-")}
    return flags, [word for word in arguments if not word.startswith("-") or word == "-"]


def _echo(shell: Shell, arguments: list[str], given: str) -> Answer:
    end = "\n"
    while arguments and arguments[0] in ("-n", "-e"):
        end = "" if arguments[0] == "-n" else end
        arguments = arguments[1:]
    return " ".join(arguments) + end, "", 0


def _ls(shell: Shell, arguments: list[str], given: str) -> Answer:
    flags, names = _options(arguments)
    out, err = "", ""
    for name in names or ["."]:
        path = shell.path(name)
        if path in shell.files:
            rows = [name]
        elif is_folder(shell, path):
            rows = [row for row in _entries(shell, path) if "a" in flags or not row.startswith(".")]
        else:
            err += f"ls: {name}: No such file or directory\n"
            continue
        if len(names) > 1:
            out += f"{name}:\n"
        if "l" in flags:
            out += "".join(_long(shell, path, row) for row in rows)
        else:
            out += "".join(f"{row}\n" for row in rows)
    return out, err, 1 if err else 0


def _long(shell: Shell, path: str, name: str) -> str:
    full = path if path in shell.files else posixpath.join(path, name)
    folder = full not in shell.files
    size = 4096 if folder else len(shell.files[full])
    stamp = time.strftime("%b %d %H:%M", time.gmtime(shell.started))
    return f"{'drwxr-xr-x    2' if folder else '-rw-r--r--    1'} root     root     {size:>9} {stamp} {name}\n"


def _cat(shell: Shell, arguments: list[str], given: str) -> Answer:
    _, names = _options(arguments)
    out, err = "", ""
    for name in names or ["-"]:
        path = shell.path(name)
        if name == "-":
            out += given
        elif path in shell.files:
            out += shell.files[path]
        else:
            why = "read error: Is a directory" if is_folder(shell, path) else "No such file or directory"
            err += f"cat: can't open '{name}': {why}\n"
    return out, err, 1 if err else 0


def _env(shell: Shell, arguments: list[str], given: str) -> Answer:
    if arguments:
        return shell.env.get(arguments[0], "") + "\n", "", 0 if arguments[0] in shell.env else 1
    return "".join(f"{key}={text}\n" for key, text in shell.env.items()), "", 0


def _ps(shell: Shell, arguments: list[str], given: str) -> Answer:
    container = shell.container
    words = [*(container.get("command") or ["/app/" + container["name"]]), *(container.get("args") or ())]
    rows = [
        (1, f"0:0{len(words) % 10}", " ".join(words)),
        (37, "0:00", "sh"),
        (43, "0:00", "ps " + " ".join(arguments)),
    ]
    return (
        "PID   USER     TIME  COMMAND\n" + "".join(f"{pid:>5} root      {span} {text}\n" for pid, span, text in rows),
        "",
        0,
    )


def _uptime(shell: Shell, arguments: list[str], given: str) -> Answer:
    minutes = int(time.time() - shell.cluster.started) // 60
    stamp = time.strftime("%H:%M:%S", time.gmtime())
    return f" {stamp} up {minutes} min,  0 users,  load average: 0.12, 0.09, 0.05\n", "", 0


def _df(shell: Shell, arguments: list[str], given: str) -> Answer:
    head = "Filesystem           1K-blocks      Used Available Use% Mounted on\n"
    rows = "overlay              209715200  41943040 167772160  20% /\n"
    rows += "tmpfs                    65536         0     65536   0% /dev\n"
    for mount in shell.container.get("volumeMounts") or ():
        rows += f"/dev/vda1            209715200  41943040 167772160  20% {mount['mountPath']}\n"
    return head + rows, "", 0


def _free(shell: Shell, arguments: list[str], given: str) -> Answer:
    limit = int(value((shell.container.get("resources", {}).get("limits") or {}).get("memory", "512Mi")) // 1024)
    used = int(limit * 0.4)
    head = "              total        used        free      shared  buff/cache   available\n"
    row = f"Mem:     {limit:>10}  {used:>10}  {limit - used:>10}           0           0  {limit - used:>10}\n"
    return head + row, "", 0


def _head(shell: Shell, arguments: list[str], given: str, last: bool = False) -> Answer:
    count, names, index = 10, [], 0
    while index < len(arguments):
        word = arguments[index]
        if word == "-n" and index + 1 < len(arguments):
            count, index = int(arguments[index + 1]), index + 1
        elif re.fullmatch(r"-\d+", word):
            count = int(word[1:])
        elif not word.startswith("-"):
            names.append(word)
        index += 1
    text, err, code = _cat(shell, names, given)
    lines = text.splitlines(keepends=True)
    return "".join(lines[-count:] if last else lines[:count]), err, code


def _tail(shell: Shell, arguments: list[str], given: str) -> Answer:
    return _head(shell, arguments, given, last=True)


def _grep(shell: Shell, arguments: list[str], given: str) -> Answer:
    flags, words = _options(arguments)
    if not words:
        return "", "Usage: grep [-ivc] PATTERN [FILE]...\n", 2
    text, err, _ = _cat(shell, words[1:], given)
    try:
        pattern = re.compile(words[0], re.I if "i" in flags else 0)
    except re.error:
        pattern = re.compile(re.escape(words[0]))
    lines = [line for line in text.splitlines() if bool(pattern.search(line)) is not ("v" in flags)]
    out = f"{len(lines)}\n" if "c" in flags else "".join(f"{line}\n" for line in lines)
    return out, err, 0 if lines else 1


def _wc(shell: Shell, arguments: list[str], given: str) -> Answer:
    flags, names = _options(arguments)
    text, err, code = _cat(shell, names, given)
    counts = {"l": text.count("\n"), "w": len(text.split()), "c": len(text)}
    chosen = [str(counts[letter]) for letter in "lwc" if letter in flags or not flags & {"l", "w", "c"}]
    return " ".join([*chosen, *names[:1]]) + "\n", err, code


def _rm(shell: Shell, arguments: list[str], given: str) -> Answer:
    flags, names = _options(arguments)
    err = ""
    for name in names:
        path = shell.path(name)
        gone = [file for file in shell.files if file == path or ("r" in flags and file.startswith(path + "/"))]
        for file in gone:
            del shell.files[file]
        if not gone and "f" not in flags:
            err += f"rm: can't remove '{name}': No such file or directory\n"
    return "", err, 1 if err else 0


def _touch(shell: Shell, arguments: list[str], given: str) -> Answer:
    for name in _options(arguments)[1]:
        shell.files.setdefault(shell.path(name), "")
    return "", "", 0


def _mkdir(shell: Shell, arguments: list[str], given: str) -> Answer:
    for name in _options(arguments)[1]:
        shell.files[shell.path(name) + "/.keep"] = ""
    return "", "", 0


def _ip(shell: Shell, arguments: list[str], given: str) -> Answer:
    address = shell.pod.get("status", {}).get("podIP", "127.0.0.1")
    return (
        "1: lo: <LOOPBACK,UP>\n    inet 127.0.0.1/8 scope host lo\n"
        f"2: eth0: <BROADCAST,MULTICAST,UP>\n    inet {address}/24 scope global eth0\n",
        "",
        0,
    )


def _which(shell: Shell, arguments: list[str], given: str) -> Answer:
    found = [name for name in arguments if name in COMMANDS or name in ("sh",)]
    return "".join(f"/bin/{name}\n" for name in found), "", 0 if len(found) == len(arguments) else 1


def _printf(shell: Shell, arguments: list[str], given: str) -> Answer:
    text = (arguments[0] if arguments else "").replace("\\n", "\n").replace("\\t", "\t")
    for word in arguments[1:]:
        text = text.replace("%s", word, 1).replace("%d", word, 1)
    return text, "", 0


def _fixed(text: Callable[[Shell], str]) -> Command:
    return lambda shell, arguments, given: (text(shell), "", 0)


def _test(shell: Shell, arguments: list[str], given: str) -> Answer:
    words = [word for word in arguments if word != "]"]
    if len(words) == 2 and words[0] in ("-f", "-e", "-d", "-r"):
        path = shell.path(words[1])
        there = path in shell.files if words[0] in ("-f", "-r") else is_folder(shell, path)
        return "", "", 0 if there or (words[0] == "-e" and path in shell.files) else 1
    if len(words) == 3 and words[1] in ("=", "==", "!="):
        return "", "", 0 if (words[0] == words[2]) is (words[1] != "!=") else 1
    return "", "", 0 if words and words[-1] else 1


COMMANDS: dict[str, Command] = {
    "echo": _echo,
    "ls": _ls,
    "cat": _cat,
    "env": _env,
    "printenv": _env,
    "ps": _ps,
    "uptime": _uptime,
    "df": _df,
    "free": _free,
    "head": _head,
    "tail": _tail,
    "grep": _grep,
    "wc": _wc,
    "rm": _rm,
    "touch": _touch,
    "mkdir": _mkdir,
    "ip": _ip,
    "which": _which,
    "printf": _printf,
    "test": _test,
    "[": _test,
    "hostname": _fixed(lambda shell: shell.hostname + "\n"),
    "whoami": _fixed(lambda shell: "root\n"),
    "id": _fixed(lambda shell: "uid=0(root) gid=0(root) groups=0(root)\n"),
    "pwd": _fixed(lambda shell: shell.cwd + "\n"),
    "date": _fixed(lambda shell: time.strftime("%a %b %d %H:%M:%S UTC %Y\n", time.gmtime())),
    "uname": _fixed(lambda shell: f"Linux {shell.hostname} 6.12.0-sandbox #1 SMP x86_64 GNU/Linux\n"),
    "tty": _fixed(lambda shell: "/dev/pts/0\n"),
    "stty": _fixed(lambda shell: f"{shell.size[1]} {shell.size[0]}\n"),
    "nproc": _fixed(lambda shell: "2\n"),
    "clear": _fixed(lambda shell: "\x1b[H\x1b[2J"),
    "true": _fixed(lambda shell: ""),
    "false": lambda shell, arguments, given: ("", "", 1),
    "sleep": _fixed(lambda shell: ""),
    "kill": _fixed(lambda shell: ""),
    "sync": _fixed(lambda shell: ""),
}

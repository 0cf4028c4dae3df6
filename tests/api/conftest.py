"""Fixtures of the API tests.

A test marked `release` (crash, sandbox, ssh) gets the release build, every
other one the build with sanitizers.
"""

import contextlib
import pathlib
import signal
import subprocess

import pytest

from harness import BUILDS, PASSWORD, ApiError, Instance, Ssh

SECONDS = 120   # for one test; one that needs more says so with `bounded`


def pytest_configure(config):
    config.addinivalue_line("markers", "release: against the release build")
    config.addinivalue_line("markers", "bounded(seconds): its own limit")


def build_of(request):
    marked = request.node.get_closest_marker("release")
    return "release" if marked else "asan"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """A test that hangs fails, the others go on."""
    marker = item.get_closest_marker("bounded")
    seconds = marker.args[0] if marker else SECONDS

    def too_long(*_):
        raise TimeoutError(f"the test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def pytest_terminal_summary(terminalreporter):
    """What tests say of themselves, whichever process ran them."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", []):
                if name == "says" and report.when == "call":
                    terminalreporter.write_line(text)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for instance in item.funcargs.get("instances_used", []):
            lines = instance.log().splitlines()[-60:]
            report.sections.append((f"log of {instance.directory}",
                                    "\n".join(lines)))


def end(instances):
    """Stops and removes them; what went wrong with any fails the test."""
    problems = []
    for instance in instances:
        try:
            if instance.process is not None and \
                    instance.process.poll() is None:
                instance.stop()
        except AssertionError as error:
            problems.append(str(error))
        instance.remove()
    assert not problems, problems


shared_instances = {}   # by build and state: it, its settings when made


@pytest.fixture(scope="session")
def pool():
    """The instances that tests share."""
    yield shared_instances
    end(instance for instance, _ in shared_instances.values())
    shared_instances.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """What a file leaves otherwise than it was made, no other file gets.

    So that no test rests on which files ran before it, which several
    processes at once make another order every time.  Not a fixture: it comes
    after all those of the file.
    """
    yield
    if nextitem is None or nextitem.path == item.path:
        return
    changed = [key for key, (instance, made) in shared_instances.items()
               if instance.settings() != made]
    end(shared_instances.pop(key)[0] for key in changed)


@pytest.fixture
def instances_used():
    return []


@pytest.fixture
def shared(request, pool, instances_used):
    """Finds the shared instance in this state, or makes it."""
    def find(state, make):
        build = build_of(request)
        if (build, state) in pool:
            if pool[build, state][0].process.poll() is not None:
                pool.pop((build, state))[0].remove()
        if (build, state) not in pool:
            made = make(build)
            pool[build, state] = made, made.settings()
        instances_used.append(pool[build, state][0])
        return pool[build, state][0]

    return find


@pytest.fixture
def instance(shared):
    """The shared instance of this test's build."""
    return shared("with an administrator",
                  lambda build: Instance(build).start().setup_admin())


@pytest.fixture
def accounts(shared):
    """A shared one whose sshd runs and takes passwords of who may use them."""
    def make(build):
        made = Instance(build).start().setup_admin()
        with made.root() as client:
            client.control("START")
            client.call("ssh.update", {"passwordauth": True})
            # Who is refused on purpose is not to be refused the next time for
            # that: where sshd knows penalties, which 9.2 does not.
            with contextlib.suppress(ApiError):
                client.call("ssh.update", {"options": "PerSourcePenalties no"})
        return made

    return shared("for accounts", make)


@pytest.fixture
def make_user(accounts):
    """Makes users; they go in the end, with what there is of their homes."""
    made = []

    def make(name, **data):
        with accounts.root() as client:
            user = client.call("user.create", {
                "username": name, "full_name": name, "group_create": True,
                "password": PASSWORD, "smb": False, **data})
        made.append(user)
        return user

    yield make
    with accounts.root() as client:
        for user in made:
            if client.call("user.query", [["id", "=", user["id"]]]):
                client.call("user.delete", user["id"], {"lockout": True})
            if user["home"] != "/var/empty":
                accounts.enter("rm", "-rf", user["home"])


@pytest.fixture
def untouched(shared):
    """A shared one for what is refused: nobody sets it up or changes it."""
    return shared("untouched", lambda build: Instance(build).start())


@pytest.fixture
def make_instance(request, instances_used):
    """Makes instances that are this test's own; not yet started."""
    made = []

    def make(*arguments, **options):
        options.setdefault("build", build_of(request))
        new = Instance(arguments=arguments, **options)
        made.append(new)
        instances_used.append(new)
        return new

    yield make
    end(made)


@pytest.fixture
def empty(make_instance):
    """An instance of this test's own, without an administrator."""
    return make_instance().start()


@pytest.fixture
def fresh(empty):
    """An instance of this test's own, with an administrator."""
    return empty.setup_admin()


@pytest.fixture
def root(instance):
    with instance.root() as client:
        yield client


@pytest.fixture
def admin(instance):
    with instance.admin() as client:
        yield client


@pytest.fixture
def stranger(instance):
    """Over TLS, not logged in, from an address of its own."""
    with instance.connect() as client:
        yield client


@pytest.fixture
def ssh(fresh, tmp_path):
    """ssh to an instance of this test's own whose sshd runs."""
    with fresh.root() as client:
        client.control("START")
    return Ssh(fresh, tmp_path)


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """Two key pairs: their files, the public part beside each."""
    folder = tmp_path_factory.mktemp("keys")
    made = [folder / name for name in ("one", "two")]
    for key in made:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                        key], check=True, timeout=30)
    return made


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiles a C program of this folder; returns its path."""
    done = {}

    def compile_program(name, *defines):
        if (name, defines) not in done:
            binary = tmp_path_factory.mktemp("bin") / name
            source = pathlib.Path(__file__).with_name(name + ".c")
            subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1",
                            "-Wall", "-Wextra", "-Werror", *defines, "-o",
                            binary, source], check=True, timeout=60)
            done[name, defines] = binary
        return done[name, defines]

    return compile_program


def pytest_sessionstart():
    for build in BUILDS.values():
        if not (build / "holdfastd").exists():
            pytest.exit(f"{build}/holdfastd is not there: ./dev test",
                        returncode=1)

"""The host's settings of pip are lent to a build and do not stay."""

import configparser
from pathlib import Path

import pytest

from tools.images.host_trust import Loan, host_bundle, leftovers, lend, lend_apt, parse_settings


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    file = tmp_path / "bundle.crt"
    file.write_text("-----BEGIN CERTIFICATE-----\nours\n")
    return file


def written(loan: Loan) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    parser.read(loan.folder / "pip.conf")
    return dict(parser["global"])


def test_environment_wins_over_files() -> None:
    listed = "global.index-url='https://a/'\ninstall.index-url='https://b/'\n:env:.index-url='https://c/'\n"
    assert parse_settings(listed) == {"index-url": "https://c/"}


def test_values_of_several_lines_and_with_quotes_are_read() -> None:
    listed = "global.extra-index-url='\\nhttps://a/\\nhttps://b/'\nglobal.proxy=\"http://o'hara:8080\"\n"
    assert parse_settings(listed) == {"extra-index-url": "\nhttps://a/\nhttps://b/", "proxy": "http://o'hara:8080"}


def test_named_bundle_wins_over_the_environments(bundle: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.crt"
    other.touch()
    assert host_bundle({"cert": str(bundle)}, {"SSL_CERT_FILE": str(other)}) == bundle
    assert host_bundle({}, {"SSL_CERT_FILE": str(other)}) == other


def test_bundle_that_is_not_there_is_passed_over(bundle: Path) -> None:
    assert host_bundle({"cert": "/nowhere"}, {"SSL_CERT_FILE": str(bundle)}) == bundle


def test_settings_and_bundle_are_lent_below_the_mount(bundle: Path, tmp_path: Path) -> None:
    settings = {"cert": str(bundle), "index-url": "https://user:pw@a/", "default-timeout": "180", "user": "yes"}
    loan = lend(tmp_path / "loan", settings)
    assert written(loan) == {"cert": "/mnt/cert", "index-url": "https://user:pw@a/", "default-timeout": "180"}
    assert (loan.folder / "cert").read_text() == bundle.read_text()
    assert (loan.folder.stat().st_mode & 0o777) == 0o700


def test_folders_of_wheels_are_mounted_and_addresses_kept(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    loan = lend(tmp_path / "loan", {"find-links": f"/nowhere {wheels} https://a/links"})
    assert written(loan)["find-links"].split() == ["/mnt/links-1", "https://a/links"]
    assert loan.mounts == ((wheels, Path("/mnt/links-1")),)


def test_buildah_is_told_the_mounts_and_where_the_settings_lie(tmp_path: Path) -> None:
    loan = Loan(tmp_path, ((Path("/w"), Path("/mnt/links-0")),))
    volumes = ["--volume", f"{tmp_path}:/mnt:ro", "--volume", "/w:/mnt/links-0:ro"]
    files = ["--build-arg", "PIP_CONFIG_FILE=/mnt/pip.conf", "--build-arg", "APT_CONFIG=/mnt/apt.conf"]
    assert loan.arguments() == [*volumes, *files]


def test_apts_settings_and_lists_are_lent(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror.list"
    mirror.write_text("deb https://user:pw@mirror.example/debian bookworm main\n")
    (tmp_path / "loan").mkdir()
    lend_apt(tmp_path / "loan", ['Acquire::http::Proxy "http://proxy:3128";'], [mirror])
    settings = (tmp_path / "loan/apt.conf").read_text()
    assert 'Acquire::http::Proxy "http://proxy:3128";' in settings
    assert 'Dir::Etc::sourceparts "/mnt/sources.list.d";' in settings
    assert (tmp_path / "loan/sources.list.d/mirror.list").read_text() == mirror.read_text()


def test_without_lists_of_this_debian_the_bases_own_count(tmp_path: Path) -> None:
    lend_apt(tmp_path, [], [])
    assert "Dir::Etc" not in (tmp_path / "apt.conf").read_text()


@pytest.fixture
def image_root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for folder in ("mnt", "opt/venv", "etc/ssl"):
        (root / folder).mkdir(parents=True)
    return root


def test_image_without_traces_is_clean(image_root: Path, bundle: Path, tmp_path: Path) -> None:
    (image_root / "opt/other.crt").write_text("another bundle")
    (image_root / "etc/ssl/ca.crt").write_bytes(bundle.read_bytes())  # the base's own
    assert leftovers(image_root, lend(tmp_path / "loan", {"cert": str(bundle)})) == []


@pytest.mark.parametrize("place", ["opt/ca.crt", "mnt/cert", "etc/pip.conf", "opt/venv/pip.conf"])
def test_copy_of_what_was_lent_is_found(image_root: Path, bundle: Path, tmp_path: Path, place: str) -> None:
    (image_root / place).write_bytes(bundle.read_bytes())
    assert leftovers(image_root, lend(tmp_path / "loan", {"cert": str(bundle)})) == [image_root / place]


def test_an_image_without_any_of_the_folders_kept_nothing(tmp_path: Path, bundle: Path) -> None:
    (tmp_path / "root").mkdir()
    assert leftovers(tmp_path / "root", lend(tmp_path / "loan", {"cert": str(bundle)})) == []

import copy

from modelyard.core.plan import Key
from modelyard.engine.cache import Cache
from unit.engine.fakes import make_object, owned

OWNER = Key("TrainingJob", "team", "digits")


def versions(cache: Cache) -> dict[str, str]:
    return {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in cache.values()}


def test_a_newer_version_replaces_an_older_one() -> None:
    cache = Cache()
    assert cache.upsert(make_object(version=9))
    assert cache.upsert(make_object(version=10))
    assert versions(cache) == {"job": "10"}


def test_an_older_or_equal_version_changes_nothing() -> None:
    cache = Cache()
    cache.upsert(make_object(version=10))
    assert not cache.upsert(make_object(version=9))
    assert not cache.upsert(make_object(version=10))
    assert versions(cache) == {"job": "10"}


def test_only_the_very_version_held_is_no_news() -> None:
    cache = Cache()
    cache.upsert(make_object(version=10))
    assert cache.knows(make_object(version=10))
    assert not cache.knows(make_object(version=9))
    assert not cache.knows(make_object("other", version=10))


def test_an_object_made_anew_replaces_the_old_one_but_not_the_other_way_round() -> None:
    cache = Cache()
    cache.upsert(make_object(version=10, uid="old"))
    assert cache.upsert(make_object(version=20, uid="new"))
    assert not cache.upsert(make_object(version=15, uid="old"))
    assert versions(cache) == {"job": "20"}


def test_the_end_of_the_old_object_does_not_end_the_new_one() -> None:
    cache = Cache()
    cache.upsert(make_object(version=20, uid="new"))
    assert not cache.drop(make_object(version=15, uid="old"))
    assert len(cache) == 1


def test_a_late_event_does_not_bring_a_deleted_object_back() -> None:
    cache = Cache()
    cache.upsert(make_object(version=10))
    assert cache.drop(make_object(version=12))
    assert not cache.upsert(make_object(version=11))
    assert not cache.upsert(make_object(version=12))
    assert len(cache) == 0


def test_an_object_that_left_the_selection_may_come_back() -> None:
    cache = Cache()
    cache.drop(make_object(version=12))
    assert cache.upsert(make_object(version=13))


def test_a_late_end_does_not_drop_an_object_that_came_back() -> None:
    cache = Cache()
    cache.upsert(make_object(version=13))
    assert not cache.drop(make_object(version=12))
    assert len(cache) == 1


def test_an_end_is_remembered_over_one_sweep_and_forgotten_with_the_second() -> None:
    cache = Cache()
    cache.drop(make_object(version=12))
    cache.forget_deletions()
    assert not cache.upsert(make_object(version=11))
    cache.forget_deletions()
    assert cache.upsert(make_object(version=11))


def test_a_sweep_drops_what_the_list_left_out() -> None:
    cache = Cache()
    cache.upsert(make_object("kept", uid="a", version=5))
    cache.upsert(make_object("lost", uid="b", version=6))
    lost = cache.sweep({"a"}, "7")
    assert [item["metadata"]["name"] for item in lost] == ["lost"]
    assert versions(cache) == {"kept": "5"}


def test_a_sweep_keeps_what_is_newer_than_the_list() -> None:
    cache = Cache()
    cache.upsert(make_object(version=8))
    assert cache.sweep(set(), "7") == []
    assert len(cache) == 1


def test_a_sweep_of_one_namespace_leaves_the_others() -> None:
    cache = Cache()
    cache.upsert(make_object(namespace="a", uid="a"))
    cache.upsert(make_object(namespace="b", uid="b"))
    cache.sweep(set(), "7", "a")
    assert cache.get("a", "job") is None
    assert cache.get("b", "job") is not None


def test_what_was_swept_does_not_come_back_by_a_late_event() -> None:
    cache = Cache()
    cache.upsert(make_object(version=5))
    cache.sweep(set(), "7")
    assert not cache.upsert(make_object(version=6))


def test_objects_are_found_by_the_owner_that_their_labels_name() -> None:
    cache = Cache()
    cache.upsert(owned(make_object("b", uid="b"), "TrainingJob", "digits"))
    cache.upsert(owned(make_object("a", uid="a"), "TrainingJob", "digits"))
    cache.upsert(owned(make_object("c", uid="c"), "TrainingJob", "other"))
    cache.upsert(owned(make_object("d", uid="d", namespace="elsewhere"), "TrainingJob", "digits"))
    cache.upsert(make_object("e", uid="e"))
    assert [item["metadata"]["name"] for item in cache.owned_by(OWNER)] == ["a", "b"]


def test_the_index_follows_changed_labels_and_ends() -> None:
    cache = Cache()
    cache.upsert(owned(make_object(version=1), "TrainingJob", "digits"))
    cache.upsert(owned(make_object(version=2), "TrainingJob", "other"))
    assert cache.owned_by(OWNER) == []
    cache.drop(make_object(version=3))
    assert cache.owned_by(Key("TrainingJob", "team", "other")) == []


def test_what_nobody_reads_is_left_out_and_the_given_object_is_left_alone() -> None:
    given = make_object()
    given["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    given["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"}
    before = copy.deepcopy(given)
    cache = Cache()
    cache.upsert(given)
    held = cache.get("team", "job")
    assert held is not None
    assert "managedFields" not in held["metadata"]
    assert held["metadata"]["annotations"] == {"kept": "yes"}
    assert given == before

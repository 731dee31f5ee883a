"""Pictures of several runs find each other by name and step."""

from experiments.compare.pictures import albums_of, at_step, nearest, picture_of

ID = "0a6e1a2c-0d3e-4b1e-9f55-3f1f0a8a7f10"


def keyed(key, step, at=1, sep="+", end=".png"):
    return f"images/{key}{sep}step{sep}{step}{sep}timestamp{sep}{at}{sep}{ID}{end}"


def test_what_mlflow_logs_with_a_key_and_a_step_in_both_of_its_spellings():
    for sep, slash in (("+", "~"), ("%", "#")):
        picture, at = picture_of(keyed(f"val{slash}roc", 40, at=77, sep=sep))
        assert (picture.name, picture.step, at) == ("val/roc", 40, 77)
    assert picture_of(keyed("roc", 40, end="+compressed.webp")) is None


def test_a_number_after_step_or_epoch_in_a_name_is_the_step():
    assert picture_of("samples/epoch_007.png")[0].step == 7
    assert picture_of("samples/step-20/grid.png")[0].name == "samples/step*/grid.png"
    plain, _ = picture_of("plots/footstep3.png")
    assert (plain.name, plain.step) == ("plots/footstep3.png", None)


def test_pictures_of_one_name_come_together_and_the_later_of_two_counts():
    first, again = keyed("roc", 10, at=1), keyed("roc", 10, at=5)
    albums = albums_of({0: [again, first, keyed("roc", 20)], 1: [keyed("roc", 10)], 2: ["only.png"]})
    assert [album.name for album in albums] == ["roc", "only.png"]
    assert albums[0].steps == [10, 20]
    assert albums[0].by_run[0][10] == again


def test_a_run_shows_its_latest_picture_up_to_the_step():
    paths = {10: "a", 30: "b"}
    assert at_step(paths, 20) == (10, "a")
    assert at_step(paths, 30) == (30, "b")
    assert at_step(paths, 5) is None
    assert at_step({None: "c"}, 5) == (None, "c")
    assert at_step(paths, None) == (30, "b")


def test_the_slider_opens_at_a_step_that_there_is():
    assert nearest([10, 20], None) == 20
    assert nearest([10, 20], 19) == 10
    assert nearest([10, 20], 3) == 10
    assert nearest([], 3) is None

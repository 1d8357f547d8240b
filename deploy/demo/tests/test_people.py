import re

from deploy.demo.people import choose_followed, choose_reviews, list_people


class TestListPeople:
    def test_valid(self) -> None:
        people = list_people()
        assert len({human.email for human in people}) == len({human.username for human in people}) == 36
        assert all(re.fullmatch("[a-z0-9_]{3,30}", human.username) for human in people)

    def test_same_on_every_run(self) -> None:
        assert list_people() == list_people()
        assert list_people(5) == list_people()[:5]


class TestChooseFollowed:
    def test_valid(self) -> None:
        people = list_people()
        followed = choose_followed(people)
        assert list(followed) == people
        for human, others in followed.items():
            assert 3 <= len(set(others)) == len(others) <= 8
            assert human not in others
        assert followed == choose_followed(people)


class TestChooseReviews:
    def test_valid(self) -> None:
        people = list_people()
        for key in ("celery", "rich", "httpx"):
            reviews = choose_reviews(people, people[0], key)
            reviewers = [review.reviewer for review in reviews]
            assert len(set(reviewers)) == len(reviewers) <= 5
            assert people[0] not in reviewers
            assert all(1 <= review.rating <= 5 for review in reviews)
            assert reviews == choose_reviews(people, people[0], key)

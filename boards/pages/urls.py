"""Where the pages of boards are."""

from django.urls import path

from boards.pages import board, keeping

app_name = "boards"
urlpatterns = [
    path("boards/", board.boards, name="boards"),
    path("boards/<slug:slug>/", board.board, name="board"),
    path("boards/<slug:slug>/new/", board.new, name="new"),
    path("boards/<slug:slug>/news/", board.news, name="news"),
    path("boards/<slug:slug>/claim/", board.enter_claim, name="enter_claim"),
    path("boards/<slug:slug>/claim/keep/", board.keep, name="keep_claim"),
    path("boards/<slug:slug>/claim/leave/", board.leave, name="leave"),
    path("boards/<slug:slug>/entries.csv", board.as_csv, name="csv"),
    path("boards/<slug:slug>/entries/<int:number>/", board.entry, name="entry"),
    path("boards/<slug:slug>/entries/<int:number>/change/", board.change, name="change"),
    path("boards/<slug:slug>/entries/<int:number>/withdraw/", board.withdraw, name="withdraw"),
    path("p/<slug:slug>/board/", keeping.keeping, name="keeping"),
    path("p/<slug:slug>/board/end/", keeping.end, name="end"),
    path("p/<slug:slug>/board/entries/<int:number>/show/", keeping.show, name="show"),
    path("p/<slug:slug>/board/entries/<int:number>/hide/", keeping.hide, name="hide"),
    path("p/<slug:slug>/board/claims/<uuid:claim>/end/", keeping.end_token, name="end_claim"),
]

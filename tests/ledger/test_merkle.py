"""The tree against the definitions of RFC 9162, written down here a second time and naively."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ledger import merkle

leaves = st.integers(min_value=0, max_value=300).map(lambda n: [merkle.leaf_hash(str(i).encode()) for i in range(n)])


def naive_root(hashes: list[bytes]) -> bytes:
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(hashes[:k]) + naive_root(hashes[k:])).digest()


def over(hashes: list[bytes]) -> merkle.RangeHash:
    return lambda start, end: naive_root(hashes[start:end])


# From the test vectors of Certificate Transparency's reference implementation (RFC 6962 trees of 1, 2, 3 and 8 leaves).
VECTOR_LEAVES = [
    bytes.fromhex(text)
    for text in "- 00 10 2021 3031 40414243 5051525354555657 606162636465666768696a6b6c6d6e6f".replace("-", "").split(
        " "
    )
]
VECTOR_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize("size", VECTOR_ROOTS)
def test_roots_are_those_that_other_logs_compute(size):
    hashes = [merkle.leaf_hash(data) for data in VECTOR_LEAVES[:size]]
    assert merkle.root_of(hashes).hex() == VECTOR_ROOTS[size]


@given(leaves)
def test_a_growing_tree_has_the_root_of_the_definition(hashes):
    assert merkle.root_of(hashes) == naive_root(hashes)


@given(leaves)
def test_growth_names_every_full_subtree_once(hashes):
    tree, grown = merkle.CompactRange(), []
    for leaf in hashes:
        tree.append(leaf, grown)
    assert {(height, place) for height, place, _ in grown} == {
        (height, place) for height in range(1, 10) for place in range(len(hashes) >> height)
    }
    assert all(node == naive_root(hashes[place << height : place + 1 << height]) for height, place, node in grown)


@given(leaves)
def test_a_tree_taken_up_from_its_full_subtrees_is_the_same_tree(hashes):
    roots = [naive_root(hashes[start : start + (1 << height)]) for start, height in merkle.full_subtrees(len(hashes))]
    assert merkle.CompactRange(len(hashes), roots).root() == naive_root(hashes)


@given(leaves.filter(len), st.data())
def test_an_inclusion_proof_holds_for_its_leaf_and_for_no_other(hashes, data):
    index = data.draw(st.integers(0, len(hashes) - 1))
    other = data.draw(st.integers(0, len(hashes) - 1))
    proof = merkle.inclusion_proof(index, len(hashes), over(hashes))
    root = naive_root(hashes)
    assert merkle.includes(root, len(hashes), index, hashes[index], proof)
    assert merkle.includes(root, len(hashes), other, hashes[index], proof) == (other == index)
    assert not merkle.includes(root, len(hashes), index, merkle.leaf_hash(b"forged"), proof)
    assert not merkle.includes(root, len(hashes), index, hashes[index], [*proof, root])
    if proof:
        assert not merkle.includes(root, len(hashes), index, hashes[index], proof[:-1])


@given(leaves.filter(len), st.data())
def test_a_consistency_proof_holds_for_the_beginning_and_for_no_other_past(hashes, data):
    old = data.draw(st.integers(1, len(hashes)))
    proof = merkle.consistency_proof(old, len(hashes), over(hashes))
    past, present = naive_root(hashes[:old]), naive_root(hashes)
    assert merkle.is_continued(past, old, present, len(hashes), proof)
    forged = naive_root([*hashes[: old - 1], merkle.leaf_hash(b"forged")])
    assert not merkle.is_continued(forged, old, present, len(hashes), proof)
    assert not merkle.is_continued(past, old, merkle.leaf_hash(b"forged"), len(hashes), proof)
    assert not merkle.is_continued(past, old, present, len(hashes), [*proof, present])

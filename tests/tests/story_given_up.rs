//! Work that was given up, through the real program: it is named with what to do, and tried again all at once.

use std::fs;

use director_tests::corner::{Corner, HEAD};

#[test]
fn what_was_given_up_is_named_and_all_of_it_is_tried_again_at_one_word() {
    let corner = Corner::new(env!("CARGO_BIN_EXE_director-under-test"));
    let way = corner.root().join("way");
    let task = |id: &str, rest: &str| {
        format!(
            "[[task]]\nid = \"{id}\"\nrun = \"test -e {} && echo {id} > {id}\"\n{rest}\n",
            way.display()
        )
    };
    let text = HEAD.to_owned()
        + &task("cart", "")
        + &task("pay", "")
        + &task("ship", "depends_on = [\"pay\"]")
        + "[[task]]\nid = \"fine\"\nrun = \"echo fine > fine\"\n";
    let said = corner.sprint(text).run();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("given up: cart, pay"), "{}", said.err);
    assert!(said.err.contains("`director retry --all`"), "{}", said.err);
    let status = corner.tell(&["status"]).out;
    assert!(status.contains("given up: cart, pay"), "{status}");

    fs::write(&way, "").expect("written");
    let both = corner.tell(&["retry", "--all", "cart"]);
    assert_eq!(both.code, 2, "one or all: {both:?}");
    let none = corner.tell(&["retry"]);
    assert_eq!(none.code, 2, "one or all: {none:?}");
    let again = corner.tell(&["retry", "--all"]);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(
        again.out.contains("tried again: cart, pay"),
        "{}",
        again.out
    );
    let said = corner.run();
    assert_eq!(said.code, 0, "{said:?}");
    for task in ["cart", "pay", "ship", "fine"] {
        assert_eq!(corner.merged(task), task);
    }
    let nothing = corner.tell(&["retry", "--all"]);
    assert_ne!(nothing.code, 0, "{nothing:?}");
    assert!(
        nothing.err.contains("none of its tasks failed"),
        "{}",
        nothing.err
    );
}

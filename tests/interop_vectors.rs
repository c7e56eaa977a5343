//! The implementation in Python against the examples in the documents, which test ours as well, and its cryptography
//! against the vectors of the RFCs.

use testbed::python;

#[test]
fn it_agrees_with_the_documents() {
    passes("vectors.py");
}

#[test]
fn its_cryptography_agrees_with_the_rfcs() {
    passes("noise_test.py");
}

fn passes(script: &str) {
    if let Some(tests) = python(script) {
        let finished = tests.output().expect_success();
        // A script that finds no tests is content with itself, too.
        let ran = finished.stderr_text().contains("Ran ");
        let none = finished.stderr_text().contains("Ran 0 tests");
        assert!(ran && !none, "{}", finished.stderr_text());
    }
}

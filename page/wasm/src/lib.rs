//! The way into the model from a page, and out again.
//!
//! A page asks for `room`, writes its request there, calls `answer`, and reads as many bytes as that says from where `answered` says. All of it is
//! UTF-8, and what it means is [`pidlab_page::api`]. No bindings are generated, and nothing here is unsafe but that names are
//! given out: the page writes into memory of ours between two calls, when nobody else looks at it.
#![expect(unsafe_code, reason = "the names of these functions are what a page calls them by")]

use std::sync::Mutex;

static REQUEST: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static ANSWER: Mutex<String> = Mutex::new(String::new());

/// Room for a request of this many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> *mut u8 {
    let mut request = REQUEST.lock().expect("a page has one thread");
    request.clear();
    request.resize(length, 0);
    request.as_mut_ptr()
}

/// Answers the request that is in the room; how long the answer is.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> usize {
    let request = REQUEST.lock().expect("a page has one thread");
    let mut answer = ANSWER.lock().expect("a page has one thread");
    *answer = pidlab_page::api::answer(&String::from_utf8_lossy(&request));
    answer.len()
}

/// Where the answer is.
#[unsafe(no_mangle)]
pub extern "C" fn answered() -> *const u8 {
    ANSWER.lock().expect("a page has one thread").as_ptr()
}

use super::*;

/// Keeps what is drawn, and counts how often.
#[derive(Debug, Default)]
struct CountedDraws {
    text: Vec<u8>,
    draws: usize,
}

impl Write for CountedDraws {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.draws += 1;
        Ok(())
    }
}

fn counting(drawn: &mut CountedDraws) -> State<&mut CountedDraws> {
    State {
        screen: Some(Screen::new(drawn, 80, false, visible)),
        ..State::default()
    }
}

#[test]
fn keys_of_one_read_are_drawn_once() {
    let mut drawn = CountedDraws::default();
    assert_eq!(counting(&mut drawn).press(b"hellp\x7fo"), (7, None));
    assert_eq!((&*drawn.text, drawn.draws), (&b"hello"[..], 1));

    let mut drawn = CountedDraws::default();
    let mut state = counting(&mut drawn);
    for _ in 0..16 {
        assert_eq!(state.press(&[b'x'; 4_096]), (4_096, None));
    }
    let end = Some(End::Line("x".repeat(64 << 10)));
    assert_eq!(state.press(b"\rnext"), (1, end));
    assert_eq!(
        drawn.draws, 17,
        "one for each read, and one for the line's end"
    );
}

#[test]
fn a_long_prompt_takes_rows_of_its_own() {
    let prompt = "Register or log in? [r/l, Enter for neither]: ";
    assert_eq!(split_prompt(prompt, 79), (String::new(), prompt));
    let rows = "Register or log in? [r/l, Enter for\n".to_owned();
    assert_eq!(split_prompt(prompt, 39), (rows, "neither]: "));
    assert_eq!(split_prompt("> ", 8), (String::new(), "> "));
    let long = "x".repeat(100);
    assert_eq!(split_prompt(&long, 39), (String::new(), &*long));
}

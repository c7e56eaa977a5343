//! Which texts are nicks, and which look alike.

use proptest::prelude::*;

use super::*;

fn nick(text: &str) -> Nick {
    Nick::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn alike(a: &str, b: &str) -> bool {
    let forms = nick(a).forms();
    nick(b).forms().iter().any(|form| forms.contains(form))
}

#[test]
fn any_script_and_emoji_make_nicks() {
    for text in [
        "Anna",
        "Аня",
        "x_X-1.0",
        "山田",
        "שרה",
        "सीता",
        "मुकेश",
        "٣",
        "😀",
        "👍🏽",
        "🇺🇦",
        "❤\u{fe0f}",
        "Ω",
        "é",
    ] {
        assert_eq!(nick(text).as_str(), text);
    }
    assert_eq!(nick("e\u{301}").as_str(), "é");
}

#[test]
fn what_breaks_lines_hides_or_overlaps_is_refused() {
    for text in [
        "a b",
        "a\n",
        "\u{1b}[2J",
        "a\u{85}",
        "a\u{202e}b",
        "a\u{200b}",
        "a\u{200d}b",
        "a\u{ad}",
        "\u{3164}",
        "\u{115f}",
        "\u{ffa0}",
        "a\u{34f}",
        "a\u{fe0f}",
        "a\u{fe00}",
        "\u{301}a",
        "\u{2800}",
        "a\u{fdd0}",
        "a\u{fffe}",
        "a\u{1ffff}",
        "<a>",
        "a,b",
        "#",
        "*",
        "/me",
        "½",
        "Ⅷ",
        "a\u{e0041}",
        "\u{feff}a",
        "\u{fdd0}",
        "\u{e000}",
        "👩\u{200d}💻",
        "a\u{301}\u{302}\u{303}",
        "b\u{301}\u{302}\u{303}",
        "a\u{338}nna",
        "a\u{20dd}",
    ] {
        assert!(
            matches!(Nick::parse(text), Err(NickError::Forbidden { .. })),
            "{text:?}: {:?}",
            Nick::parse(text)
        );
    }
}

#[test]
fn lengths_are_of_characters_and_bytes() {
    assert_eq!(Nick::parse(""), Err(NickError::Empty));
    assert!(Nick::parse(&"я".repeat(32)).is_ok());
    let too_long = |text: &str| Nick::parse(text).unwrap_err();
    let (chars, bytes) = (33, 33);
    assert_eq!(
        too_long(&"a".repeat(33)),
        NickError::TooLong { chars, bytes }
    );
    let (chars, bytes) = (17, 68);
    assert_eq!(
        too_long(&"😀".repeat(17)),
        NickError::TooLong { chars, bytes }
    );
}

#[test]
fn what_looks_alike_shares_a_form() {
    for (a, b) in [
        ("Anna", "anna"),
        ("anna", "аnna"), // the second with a Cyrillic а
        ("ANNA", "АNNА"),
        ("Anna", "ａｎｎａ"),
        ("Straße", "STRASSE"),
        ("rn", "m"),
        ("I1", "l1"),
        ("paypal", "раураl"),
        ("❤\u{fe0f}", "❤"),
        ("ВОВ", "bob"), // in Cyrillic
        ("ВОВ", "Bob"),
        ("ТОМ", "tom"),
        ("РЕТЕR", "Peter"),
        ("0leg", "Oleg"),
        ("0LEG", "oleg"),
        ("محـمد", "محمد"),
        ("мoм", "мом"),
    ] {
        assert!(alike(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("Anna", "Аня"),
        ("Anna", "Anne"),
        ("x1", "x2"),
        ("😀", "😁"),
        ("Bjørn", "Bjorn"),
        ("Łukasz", "Lukasz"),
        ("Кот", "Код"),
    ] {
        assert!(!alike(a, b), "{a} {b}");
    }
}

#[test]
fn reserved_nicks_are_refused_whatever_they_look_like() {
    for text in [
        "server",
        "Server",
        "SERVER",
        "ѕеrvеr",
        "admin",
        "АDМIN",
        "Админ",
        "r00t",
        "udp-chat",
    ] {
        assert_eq!(Nick::parse(text), Err(NickError::Reserved), "{text}");
    }
    assert!(Nick::parse("servers").is_ok() && Nick::parse("admin2").is_ok());
}

#[test]
fn an_error_does_not_repeat_the_input() {
    let error = Nick::parse("secret\u{1b}").unwrap_err().to_string();
    assert!(error.contains("U+001B") && !error.contains("secret"));
}

proptest! {
    #[test]
    fn a_parsed_nick_parses_to_itself_and_needs_no_escapes(text in "\\PC{0,34}|.{0,34}") {
        if let Ok(nick) = Nick::parse(&text) {
            prop_assert_eq!(Nick::parse(nick.as_str()), Ok(nick.clone()));
            prop_assert!(nick.as_str().len() <= MAX_NICK_BYTES);
            let escaped = proto::Escaped::new(nick.as_str()).quoted().to_string();
            prop_assert_eq!(escaped, format!("\"{nick}\""));
        }
    }
}

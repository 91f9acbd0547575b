//! The formatter beyond the corpus.

use terrace_syntax::format;

#[test]
fn a_text_with_errors_stays() {
    assert_eq!(format("a   =\n  b {"), "a   =\n  b {");
}

#[test]
fn equals_signs_and_comments_of_neighbours_are_aligned() {
    let text = "a=1 # one\nlonger   = [1,2]# two\nb {\nc=1//x\n\ndd=2//y\n}\n";
    let wanted =
        "a      = 1      # one\nlonger = [1, 2] # two\nb {\n  c = 1 //x\n\n  dd = 2 //y\n}\n";
    assert_eq!(format(text), wanted);
}

#[test]
fn templates_and_heredocs_keep_their_text() {
    let text = "a=\"  x ${ b }  %{ if c }y%{ endif }\"\nd=<<-EOT\n     keep   ${ e }\n  EOT\n";
    let wanted = "a = \"  x ${b}  %{if c}y%{endif}\"\nd = <<-EOT\n     keep   ${e}\n  EOT\n";
    assert_eq!(format(text), wanted);
}

#[test]
fn templates_around_one_expression_are_opened() {
    assert_eq!(
        format("a = \"${b.c}\"\nd = [\"${e}\"]\nf = \"${g}${h}\"\n"),
        "a = b.c\nd = [\"${e}\"]\nf = \"${g}${h}\"\n"
    );
    assert_eq!(format("a = \"${b ?\n c : d}\"\n"), "a = (b ?\nc : d)\n");
    // One pair of parentheses around it all is enough; two pairs beside each other are not one.
    assert_eq!(format("a = \"${(b\n+ c)}\"\n"), "a = (b\n+ c)\n");
    assert_eq!(format("a = \"${(b)\n+ (c)}\"\n"), "a = ((b)\n+ (c))\n");
}

#[test]
fn old_type_constraints_become_current() {
    let text =
        "variable a {\ntype=\"list\"\n}\nvariable b {\ntype=map\n}\nother c {\ntype=\"list\"\n}\n";
    let wanted = "variable \"a\" {\n  type = list(string)\n}\nvariable \"b\" {\n  type = map(any)\n}\nother \"c\" {\n  type = \"list\"\n}\n";
    assert_eq!(format(text), wanted);
}

#[test]
fn line_ends_stay_and_the_mark_of_utf8_goes() {
    assert_eq!(
        format("\u{FEFF}a=1\r\nbb=2 # x\r\n"),
        "a  = 1\r\nbb = 2 # x\r\n"
    );
}

#[test]
fn minus_signs_are_told_apart() {
    assert_eq!(
        format("a=-1\nb=c-1\nd=[- 1,e -1]\nf=! g\n"),
        "a = -1\nb = c-1\nd = [-1, e - 1]\nf = !g\n"
    );
}

#[test]
fn an_index_by_a_keyword_is_kept() {
    assert_eq!(format("a = b [null][ true ]\n"), "a = b[null][true]\n");
}

#[test]
fn comments_among_labels_stay() {
    assert_eq!(
        terrace_syntax::format("a /* 1 */ b /* 2 */ \"c\" { # 3\n}\n"),
        "a /* 1 */ \"b\" /* 2 */ \"c\" { # 3\n}\n"
    );
}

#[test]
fn what_is_no_longer_wrapped_goes_on_over_a_comment() {
    assert_eq!(
        terrace_syntax::format("a = \"${b # 1\n + c}\"\n"),
        "a = (b # 1\n+ c)\n"
    );
}

#[test]
fn bytes_of_comments_that_are_no_text_stay() {
    let bytes = b"# \xff\na=1 # \xc3( \xfe\n";
    assert_eq!(
        terrace_syntax::format_bytes(bytes).expect("it parses"),
        b"# \xff\na = 1 # \xc3( \xfe\n"
    );
    assert!(terrace_syntax::format_bytes(b"a = \n").is_err());
}

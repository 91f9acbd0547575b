//! Programs that give keys or encrypt: a header, an input, an output.

use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;

use crate::wire::Header;

/// Runs `command`, checks the header that it writes first, gives it `input`, and returns what it writes then.
/// The error is a sentence.
pub(crate) async fn converse(
    command: &[String],
    magic: &str,
    input: &[u8],
) -> Result<Vec<u8>, String> {
    let program = &command[0];
    let mut child = tokio::process::Command::new(program)
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the program {program:?} cannot be started: {error}"))?;
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    let input = input.to_vec();
    let writing = async move {
        // A program that does not read its input says in its output or its exit status what is wrong.
        stdin.write_all(&input).await.ok();
        drop(stdin);
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), writing);
    let output = output.map_err(|error| format!("waiting for the program {program:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "the program {program:?} failed ({}): {}",
            output.status,
            said.trim()
        ));
    }
    let end = output
        .stdout
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(|| format!("the program {program:?} wrote no header"))?;
    let header: Header = serde_json::from_slice(&output.stdout[..end])
        .map_err(|error| format!("the header of the program {program:?} is no header: {error}"))?;
    if header.magic != magic {
        return Err(format!(
            "the program {program:?} says that it is {:?}, and {magic:?} is needed",
            header.magic
        ));
    }
    if header.version != 1 {
        return Err(format!(
            "the program {program:?} speaks version {} of the protocol, and version 1 is needed",
            header.version
        ));
    }
    Ok(output.stdout[end + 1..].to_vec())
}

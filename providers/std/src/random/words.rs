//! Words for `random_pet`.

pub(super) const ADVERBS: [&str; 24] = [
    "badly", "barely", "boldly", "briskly", "calmly", "deeply", "early", "easily", "evenly", "fairly", "firmly", "freely",
    "gently", "gladly", "kindly", "lightly", "loudly", "merrily", "neatly", "openly", "quietly", "rarely", "softly", "warmly",
];

pub(super) const ADJECTIVES: [&str; 48] = [
    "able", "amber", "ample", "bold", "brave", "bright", "brisk", "calm", "clever", "cool", "cosmic", "daring", "eager",
    "earnest", "fair", "fine", "fleet", "gentle", "glad", "golden", "grand", "happy", "hardy", "humble", "keen", "kind",
    "lively", "lucky", "mellow", "merry", "mighty", "modest", "neat", "noble", "patient", "plucky", "polite", "proud",
    "quick", "quiet", "rapid", "ready", "sharp", "steady", "sunny", "swift", "tidy", "witty",
];

pub(super) const ANIMALS: [&str; 60] = [
    "alpaca", "antelope", "badger", "bat", "bear", "beaver", "bison", "bobcat", "buffalo", "camel", "caribou", "cat",
    "cheetah", "chinchilla", "cobra", "condor", "cougar", "coyote", "crane", "crow", "deer", "dingo", "dolphin", "donkey",
    "dove", "eagle", "eel", "elk", "falcon", "ferret", "finch", "fox", "gazelle", "gecko", "gibbon", "goose", "heron",
    "hippo", "horse", "ibex", "iguana", "jackal", "jaguar", "kiwi", "koala", "lemur", "lion", "llama", "lynx", "marmot",
    "marten", "moose", "newt", "otter", "owl", "panda", "puma", "raven", "seal", "wombat",
];

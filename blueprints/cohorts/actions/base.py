"""What the writes share: refusing with a sentence at a field."""


class Refused(Exception):
    """It can't be done; `field` names the form's field that the sentence belongs to."""

    def __init__(self, field, sentence):
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence

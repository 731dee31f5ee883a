from audit.compliance.models.assessments import Assessment, RunStanding, Watermark
from audit.compliance.models.exceptions import NotApplicable, Waiver
from audit.compliance.models.profiles import ProfileCopy
from audit.compliance.models.reviews import Draw, Finding, FindingNote, Review, TrailReview

__all__ = [
    "Assessment",
    "Draw",
    "Finding",
    "FindingNote",
    "NotApplicable",
    "ProfileCopy",
    "Review",
    "RunStanding",
    "TrailReview",
    "Waiver",
    "Watermark",
]

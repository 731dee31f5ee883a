from audit.compliance.models.assessments import Assessment, RunStanding, Watermark
from audit.compliance.models.exceptions import NotApplicable, Waiver
from audit.compliance.models.keeping import AccessReview, LegalHold, Purge, Tombstone
from audit.compliance.models.profiles import ProfileCopy
from audit.compliance.models.reports import Report, ReportFile, ReportPart
from audit.compliance.models.reviews import Draw, Finding, FindingNote, Review, TrailReview

__all__ = [
    "AccessReview",
    "Assessment",
    "Draw",
    "Finding",
    "FindingNote",
    "LegalHold",
    "NotApplicable",
    "ProfileCopy",
    "Purge",
    "Report",
    "ReportFile",
    "ReportPart",
    "Review",
    "RunStanding",
    "Tombstone",
    "TrailReview",
    "Waiver",
    "Watermark",
]

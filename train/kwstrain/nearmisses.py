"""What sounds like a wake word and is none, in English spelling."""
NEAR_MISSES = {
    "alexa": """a lexus|alexis|alex|election|a letter|electric|lexus|relax a bit|collects a|elect a|alaska|a lesson|axel|
        lecture|texas|perplexed|a Mexican|I'll ask her|let's ask|reflects a|all extra|select a|a leg|a lecturer|flexible""",
    "computer": """commuter|compute|computing|computation|compete|competitor|compared|composer|commuters|completer|
        come here|come put her|complete her|disputer|promoter|from Peter|community|commute|reputed|competing|can you pay her""",
    "jarvis": """jar fish|java|travis|service|harvest|jars|nervous|jar of|jasper|davis|marvin|jealous|garbage|carve this|
        starve us|charming|charge us|darvish|jar with|job is|service station|jarring|carvings|Charles|are this""",
    "smart_mirror": """smart|mirror|smart meter|start mirror|small mirror|smart miracle|dark mirror|smart phone|part nearer|
        a mirror|smart mayor|smarter|smart move|smart meeting|mark nearer|start here|start mirroring|smart river|art mirror""",
    "snowboy": """snow|boy|snowball|slow boy|no boy|snowboard|cowboy|lowboy|so boy|show boy|snow day|toy boy|the boy|
        know boy|snowing|snow buoy|small boy|playboy|nobody|snow ploy|old boy|so annoy|snow point|joyboy""",
    "view_glass": """view|glass|few glasses|view class|blue glass|new glass|wine glass|viewed last|view the grass|few class|
        you glance|view grass|viewing glass|beautiful glass|looking glass|hourglass|view us|view last|few laughs|who last|
        the glass|you guess""",
}
NEAR_MISSES = {word: [text.strip() for text in texts.split("|")] for word, texts in NEAR_MISSES.items()}
